import { Module } from '@nestjs/common';
import { StockController } from './stock.controller.ts';

@Module({ controllers: [StockController] })
export class InventoryModule {}

import { Module } from '@nestjs/common';
import { ShipmentController } from './shipment.controller.ts';

@Module({ controllers: [ShipmentController] })
export class ShippingModule {}

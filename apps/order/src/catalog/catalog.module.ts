import { Module } from '@nestjs/common';
import { PricesHandler } from './handlers/prices.handler.ts';
import { ProductStore } from './store/product.store.ts';

/** What can be ordered, and at which price. */
@Module({ controllers: [PricesHandler], providers: [ProductStore], exports: [ProductStore] })
export class CatalogModule {}

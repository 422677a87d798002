import { type DynamicModule, Module } from '@nestjs/common';
import { HoldExpiryHandler } from './handlers/hold-expiry.handler.ts';
import { StockHandler } from './handlers/stock.handler.ts';
import { StockController } from './http/stock.controller.ts';
import { STOCK_OPTIONS, type StockOptions } from './stock-options.ts';
import { StockLevels } from './store/stock-levels.ts';
import { StockQueries } from './store/stock-queries.ts';
import { StockStore } from './store/stock.store.ts';

/** Holds stock for orders, gives it back, lets it go. */
@Module({
  controllers: [StockHandler, HoldExpiryHandler, StockController],
  providers: [StockStore, StockLevels, StockQueries],
  exports: [StockLevels],
})
export class StockModule {
  static forRoot(options: StockOptions): DynamicModule {
    return { module: StockModule, providers: [{ provide: STOCK_OPTIONS, useValue: options }] };
  }
}

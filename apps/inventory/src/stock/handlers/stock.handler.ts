import { CommitStock, ReleaseStock, ReserveStock } from '@millrace/contracts';
import { decides, type Handler, Handles } from '@millrace/messaging';
import { Controller, Inject } from '@nestjs/common';
import { stockRules } from '../domain/decide-stock.ts';
import { STOCK_OPTIONS, type StockOptions } from '../stock-options.ts';
import { StockStore } from '../store/stock.store.ts';

/** Hears what the checkout asks of the warehouse. */
@Controller()
export class StockHandler {
  readonly #store: StockStore;
  readonly #options: StockOptions;

  constructor(store: StockStore, @Inject(STOCK_OPTIONS) options: StockOptions) {
    this.#store = store;
    this.#options = options;
  }

  @Handles('inventory.stock')
  stock(): Handler {
    return decides({
      hears: [ReserveStock, ReleaseStock, CommitStock],
      store: this.#store,
      decide: stockRules(this.#options),
    });
  }
}

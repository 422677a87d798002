import { dues, type Handler, Handles } from '@millrace/messaging';
import { Controller, Inject } from '@nestjs/common';
import { stockRules } from '../domain/decide-stock.ts';
import { STOCK_OPTIONS, type StockOptions } from '../stock-options.ts';
import { expiredHolds } from '../store/expired-holds.ts';
import { StockStore } from '../store/stock.store.ts';

// Holds last minutes: a second later is soon enough, and looking costs one read of a small index.
const LOOK_EVERY_MS = 1_000;

/** Gives back what was held too long. */
@Controller()
export class HoldExpiryHandler {
  readonly #store: StockStore;
  readonly #options: StockOptions;

  constructor(store: StockStore, @Inject(STOCK_OPTIONS) options: StockOptions) {
    this.#store = store;
    this.#options = options;
  }

  @Handles('inventory.hold-expiry')
  holdExpiry(): Handler {
    return dues({ store: this.#store, decide: stockRules(this.#options), everyMs: LOOK_EVERY_MS, due: expiredHolds });
  }
}

import { Controller } from '@nestjs/common';
import { type Handler, Handles, projects } from '@millrace/messaging';
import { fold } from '../domain/fold.ts';
import { shopEvents } from '../domain/shop-events.ts';
import { FiguresStore } from '../store/figures.store.ts';

// Figures without an event would be wrong for ever; with it and those behind it missing they are exact again after the repair.
const RETRY = { then: 'hold' } as const;

/** Keeps the shop's figures from everything that is said. */
@Controller()
export class FiguresHandler {
  readonly #store: FiguresStore;

  constructor(store: FiguresStore) {
    this.#store = store;
  }

  @Handles('analytics.shop')
  figures(): Handler {
    return projects({
      hears: shopEvents,
      tables: ['order_minute', 'product_sale', 'stock_out', 'latency_bucket', 'tally'],
      project: (tx, events) => this.#store.add(tx, fold(events)),
      retry: RETRY,
    });
  }
}

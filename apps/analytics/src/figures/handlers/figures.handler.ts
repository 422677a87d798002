import { Controller } from '@nestjs/common';
import { type Handler, Handles, projects } from '@millrace/messaging';
import { fold } from '../domain/fold.ts';
import { shopEvents } from '../domain/shop-events.ts';
import { FiguresStore } from '../store/figures.store.ts';

/** Keeps the shop's figures from everything that is said. */
@Controller()
export class FiguresHandler {
  readonly #store: FiguresStore;

  constructor(store: FiguresStore) {
    this.#store = store;
  }

  @Handles('analytics.shop')
  figures(): Handler {
    return projects({ hears: shopEvents, project: (tx, events) => this.#store.add(tx, fold(events)) });
  }
}

import { Database } from '@millrace/database';
import { Metrics } from '@millrace/observability';
import { type DynamicModule, Module } from '@nestjs/common';
import { CheckoutDecider } from './checkout.decider.ts';
import { CheckoutMetrics } from './checkout.metrics.ts';
import type { Deadlines } from './domain/checkout.ts';
import { CheckoutHandler } from './handlers/checkout.handler.ts';
import { TimelineHandler } from './handlers/timeline.handler.ts';
import { CheckoutStore } from './store/checkout.store.ts';

/** Takes an order from placed to its end. */
@Module({})
export class CheckoutModule {
  static forRoot(deadlines: Deadlines): DynamicModule {
    return {
      module: CheckoutModule,
      controllers: [CheckoutHandler, TimelineHandler],
      providers: [
        CheckoutStore,
        {
          provide: CheckoutDecider,
          inject: [CheckoutStore],
          useFactory: (store: CheckoutStore) => new CheckoutDecider(store, deadlines),
        },
        {
          provide: CheckoutMetrics,
          inject: [Metrics, Database],
          useFactory: (metrics: Metrics, database: Database) => new CheckoutMetrics(metrics, database),
        },
      ],
      exports: [CheckoutStore, CheckoutDecider],
    };
  }
}

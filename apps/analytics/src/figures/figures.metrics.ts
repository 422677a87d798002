import { Injectable } from '@nestjs/common';
import { CancellationReason } from '@millrace/contracts';
import { Database } from '@millrace/database';
import { Metrics } from '@millrace/observability';
import { STEPS } from './domain/deltas.ts';
import { type ShopTotals, shopTotals } from './store/shop-totals.ts';

const LOOK_WITHIN_MS = 900;

// Business figures are looked at by people; replicas and impatient scrapers need not add them up anew each time.
const FRESH_FOR_MS = 5_000;

// The sums are over all minutes of all years: what takes long is done seldom, so that it never takes more than 2 % of the time.
const REST_FACTOR = 50;

// A counter that is born with its first event shows Prometheus no increase. Any code may be a currency: before its first order
// only that of the seed catalog is known.
const EMPTY_SHOP: ShopTotals = {
  currencies: [{ currency: 'EUR', placed: 0, confirmed: 0, completed: 0, cancelled: 0, revenueMinor: 0 }],
  steps: STEPS.map((item) => ({ item, times: 0 })),
  cancellations: CancellationReason.options.map((item) => ({ item, times: 0 })),
};

/**
 * The shop in counters, added up from the read model at a scrape, every 5 s at most. The same for all replicas. Steps, reasons
 * and EUR begin at 0, another currency with its first order. They start again from 0 when the read model is rebuilt.
 */
@Injectable()
export class FiguresMetrics {
  readonly #database: Database;
  #totals: ShopTotals | undefined;
  #freshUntilMs = 0;

  constructor(metrics: Metrics, database: Database) {
    this.#database = database;
    const orders = metrics.counter({
      name: 'shop_orders_total',
      help: 'Orders by currency and the status they reached: placed, confirmed, completed or cancelled',
      labels: ['currency', 'status'],
    });
    const steps = metrics.counter({
      name: 'shop_order_steps_total',
      help: 'Orders by the step of the funnel they reached, from placed to delivered',
      labels: ['step'],
    });
    const revenue = metrics.counter({
      name: 'shop_revenue_minor_total',
      help: 'What completed orders brought, in the smallest unit of the currency',
      labels: ['currency'],
    });
    const cancellations = metrics.counter({
      name: 'shop_cancellations_total',
      help: 'Cancelled orders by reason',
      labels: ['reason'],
    });
    const reset = () => {
      for (const counter of [orders, steps, revenue, cancellations]) counter.reset();
    };
    const add = (totals: ShopTotals) => {
      for (const { currency, revenueMinor, ...counts } of totals.currencies) {
        for (const [status, count] of Object.entries(counts)) orders.inc({ currency, status }, count);
        revenue.inc({ currency }, revenueMinor);
      }
      for (const { item, times } of totals.steps) steps.inc({ step: item }, times);
      for (const { item, times } of totals.cancellations) cancellations.inc({ reason: item }, times);
    };
    metrics.lookUp<ShopTotals>({
      look: () => this.#look(),
      show: (totals) => {
        reset();
        add(EMPTY_SHOP);
        add(totals);
      },
      hide: reset,
    });
  }

  async #look(): Promise<ShopTotals> {
    const startedAt = performance.now();
    if (this.#totals === undefined || startedAt > this.#freshUntilMs) {
      this.#totals = undefined;
      this.#totals = await shopTotals(this.#database, LOOK_WITHIN_MS);
      const endedAt = performance.now();
      this.#freshUntilMs = endedAt + Math.max(FRESH_FOR_MS, (endedAt - startedAt) * REST_FACTOR);
    }
    return this.#totals;
  }
}

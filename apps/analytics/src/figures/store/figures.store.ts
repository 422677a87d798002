import { Injectable } from '@nestjs/common';
import { statement, type Transaction } from '@millrace/database';
import type { Deltas } from '../domain/deltas.ts';

/** Adds deltas to the read models: one statement per table, however large the batch. */
@Injectable()
export class FiguresStore {
  /**
   * All of the deltas in the given transaction. Rows are locked in the order of the tables below and of the deltas, the
   * same for every batch, so that replicas never wait for each other in a circle; the few rows that every batch changes
   * come last and are held shortest.
   */
  async add(tx: Transaction, deltas: Deltas): Promise<void> {
    const { orderMinutes, productSales, stockOuts, latencies, tallies } = deltas;
    if (orderMinutes.length > 0) {
      await tx.query(
        addOrderMinutes(
          orderMinutes.map(({ minute }) => minute.toISOString()),
          orderMinutes.map(({ currency }) => currency),
          orderMinutes.map(({ placed }) => placed),
          orderMinutes.map(({ confirmed }) => confirmed),
          orderMinutes.map(({ completed }) => completed),
          orderMinutes.map(({ cancelled }) => cancelled),
          orderMinutes.map(({ revenueMinor }) => String(revenueMinor)),
        ),
      );
    }
    if (productSales.length > 0) {
      await tx.query(
        addProductSales(
          productSales.map(({ sku }) => sku),
          productSales.map(({ currency }) => currency),
          productSales.map(({ name }) => name),
          productSales.map(({ namedAt }) => namedAt.toISOString()),
          productSales.map(({ units }) => String(units)),
          productSales.map(({ revenueMinor }) => String(revenueMinor)),
        ),
      );
    }
    if (stockOuts.length > 0) {
      await tx.query(
        addStockOuts(
          stockOuts.map(({ sku }) => sku),
          stockOuts.map(({ times }) => times),
          stockOuts.map(({ lastAt }) => lastAt.toISOString()),
        ),
      );
    }
    if (latencies.length > 0) {
      await tx.query(
        addLatencies(
          latencies.map(({ step }) => step),
          latencies.map(({ bucket }) => bucket),
          latencies.map(({ orders }) => orders),
        ),
      );
    }
    if (tallies.length > 0) {
      await tx.query(
        addTallies(
          tallies.map(({ subject }) => subject),
          tallies.map(({ item }) => item),
          tallies.map(({ times }) => times),
        ),
      );
    }
  }
}

const addOrderMinutes = statement(
  'analytics.order_minute.add',
  `INSERT INTO order_minute AS t (minute, currency, placed, confirmed, completed, cancelled, revenue_minor)
   SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::int[], $4::int[], $5::int[], $6::int[], $7::bigint[])
   ON CONFLICT (minute, currency) DO UPDATE SET
     placed = t.placed + excluded.placed,
     confirmed = t.confirmed + excluded.confirmed,
     completed = t.completed + excluded.completed,
     cancelled = t.cancelled + excluded.cancelled,
     revenue_minor = t.revenue_minor + excluded.revenue_minor`,
);

// Collation "C" compares bytes, as the fold does.
const addProductSales = statement(
  'analytics.product_sale.add',
  `INSERT INTO product_sale AS t (sku, currency, name, named_at, units, revenue_minor)
   SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[], $6::bigint[])
   ON CONFLICT (sku, currency) DO UPDATE SET
     name = CASE
       WHEN (excluded.named_at, excluded.name COLLATE "C") > (t.named_at, t.name COLLATE "C") THEN excluded.name
       ELSE t.name
     END,
     named_at = greatest(t.named_at, excluded.named_at),
     units = t.units + excluded.units,
     revenue_minor = t.revenue_minor + excluded.revenue_minor`,
);

const addStockOuts = statement(
  'analytics.stock_out.add',
  `INSERT INTO stock_out AS t (sku, times, last_at)
   SELECT * FROM unnest($1::text[], $2::bigint[], $3::timestamptz[])
   ON CONFLICT (sku) DO UPDATE SET
     times = t.times + excluded.times,
     last_at = greatest(t.last_at, excluded.last_at)`,
);

const addLatencies = statement(
  'analytics.latency_bucket.add',
  `INSERT INTO latency_bucket AS t (step, bucket, orders)
   SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[])
   ON CONFLICT (step, bucket) DO UPDATE SET orders = t.orders + excluded.orders`,
);

const addTallies = statement(
  'analytics.tally.add',
  `INSERT INTO tally AS t (subject, item, times)
   SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
   ON CONFLICT (subject, item) DO UPDATE SET times = t.times + excluded.times`,
);

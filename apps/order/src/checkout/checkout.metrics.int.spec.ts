import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Database } from '@millrace/database';
import type { OrderId } from '@millrace/contracts';
import { Metrics } from '@millrace/observability';
import { decideStored } from '../../test/decide-stored.ts';
import { type OrderDatabase, orderDatabase } from '../../test/order-database.ts';
import { CheckoutMetrics } from './checkout.metrics.ts';
import { accepted, messagesAbout } from './domain/checkout.examples.ts';

let order: OrderDatabase;

beforeAll(async () => {
  order = await orderDatabase();
});
afterAll(() => order.drop());
beforeEach(() => order.database.query('TRUNCATE orders, checkouts'));

async function placed(count: number, now = new Date()): Promise<OrderId[]> {
  const orders = Array.from({ length: count }, () => accepted());
  await order.database.transaction((tx) => decideStored(tx, orders, now));
  return orders.map(({ key }) => key as OrderId);
}

/** The values of the order service's gauges, by name and labels. */
async function scrape(database = order.database): Promise<ReadonlyMap<string, number>> {
  const metrics = new Metrics({ lookWithinMs: 30_000 });
  new CheckoutMetrics(metrics, database);
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('order_'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

describe('the metrics of the checkout', () => {
  it('tell how many checkouts are under way at which stage, and nothing of those that ended', async () => {
    const [first, second] = await placed(3);
    await order.database.transaction((tx) =>
      decideStored(
        tx,
        [messagesAbout(first as OrderId).StockReserved, messagesAbout(second as OrderId).StockRejected],
        new Date(),
      ),
    );
    const shown = await scrape();
    expect(shown.get('order_checkouts_in_flight{stage="AwaitingStock"}')).toBe(1);
    expect(shown.get('order_checkouts_in_flight{stage="AwaitingPayment"}')).toBe(1);
    expect(shown.get('order_checkouts_in_flight{stage="Cancelling"}')).toBe(0);
    expect(shown.get('order_checkouts_past_deadline')).toBe(0);
    expect([...shown.keys()].join()).not.toMatch(/Cancelled|Completed/);
  });

  it('tell since when the oldest checkout is under way', async () => {
    const [id] = await placed(1);
    // The same id, made two minutes earlier: its first 48 bits are its time.
    const earlier = (Date.now() - 120_000).toString(16).padStart(12, '0');
    const aged = `${earlier.slice(0, 8)}-${earlier.slice(8)}${id?.slice(13)}`;
    await order.database.query('UPDATE checkouts SET order_id = $1', [aged]);
    const seconds = (await scrape()).get('order_checkouts_oldest_seconds{stage="AwaitingStock"}');
    expect(seconds).toBeGreaterThan(119);
    expect(seconds).toBeLessThan(140);
  });

  it('tell of checkouts whose deadline passed without anybody waking them', async () => {
    await placed(2);
    await order.database.query("UPDATE checkouts SET deadline = now() - interval '11 s', wake_at = now()");
    await placed(1);
    expect((await scrape()).get('order_checkouts_past_deadline')).toBe(2);
  });

  it('do not touch the orders that ended, however many', async () => {
    await placed(1);
    await order.database.query(
      `INSERT INTO checkouts (order_id, stage, status, version, cancellation_asked, stock_is_back, stock_undo_pending,
                              payment_undo_pending, ended_at, correlation_id, history)
       SELECT uuidv7(), 'Completed', 'completed', 6, false, false, false, false, now(), 'c', 'h' FROM generate_series(1, 20000)`,
    );
    await order.database.query('VACUUM ANALYZE checkouts');
    const asked: string[] = [];
    const watched = Object.create(order.database, {
      queryWithin: {
        value: async (withinMs: number, query: { text: string }) => {
          const { rows } = await order.database.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${query.text}`);
          asked.push(...rows.map((row) => row['QUERY PLAN']));
          return order.database.queryWithin(withinMs, query);
        },
      },
    }) as Database;
    expect((await scrape(watched)).get('order_checkouts_in_flight{stage="AwaitingStock"}')).toBe(1);
    expect(asked.join('\n')).toContain('checkouts_to_wake');
    expect(asked.join('\n')).not.toContain('Seq Scan');
  });

  it('are absent while the database is away', async () => {
    const away = new Database({ url: 'postgres://127.0.0.1:1/none', applicationName: 'test' });
    expect([...(await scrape(away)).keys()]).toEqual([]);
    await away.close();
  });
});

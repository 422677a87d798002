import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@millrace/embedded';
import { checkBooks, type DatabaseName } from '@millrace/shop';
import { oneAtATime } from '../load/closed-loop.ts';
import { drive } from '../load/drive.ts';
import { asked } from '../measure/asked.ts';
import { totalsOf } from '../systems/millrace-totals.ts';
import { type Millrace, startMillrace } from '../systems/millrace.ts';
import { copyings } from './databases/index.ts';
import { copyOrders, type Placed, placedSince, spanMsOf } from './placed.ts';

const START_WITHIN_MS = 180_000;
// In two fillings, the second of which meets the copies of the first.
const COPIES = [3, 2] as const;
const COPIES_IN_ALL = 5;

const folder = temporaryFolder('millrace-growth');
const stop = new AbortController().signal;
let millrace: Millrace;
let since: Date;
let placed: Placed;
let empty: ReadonlyMap<string, number>;
let once: ReadonlyMap<string, number>;
let countedOnce: ReadonlyMap<string, number>;

async function place(): Promise<void> {
  await drive(millrace, 1, (placer, observer) => oneAtATime(placer, observer, 2, stop));
  await millrace.settled();
}

/** The rows of every table that has one row or more for an order, by database and table. */
async function rows(): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const [database, { copied }] of Object.entries(copyings)) {
    for (const table of Object.keys(copied)) {
      const [row] = await asked<{ rows: number }>(
        millrace.shop.databases[database as DatabaseName],
        `SELECT count(*)::float8 AS rows FROM ${table}`,
      );
      counts.set(`${database}: ${table}`, row?.rows ?? 0);
    }
  }
  return counts;
}

/** Everything that analytics counts, but for the catalogue, which was listed once. */
async function figures(): Promise<ReadonlyMap<string, number>> {
  const counted = await asked<{ what: string; times: number }>(
    millrace.shop.databases.analytics,
    `SELECT concat_ws(' ', subject, item) AS what, times::float8 FROM tally WHERE item <> 'ProductListed'
     UNION ALL SELECT 'units of ' || sku, units::float8 FROM product_sale
     UNION ALL SELECT 'money for ' || sku, revenue_minor::float8 FROM product_sale
     UNION ALL SELECT concat_ws(' ', step, bucket), orders::float8 FROM latency_bucket
     UNION ALL SELECT 'confirmed', sum(confirmed)::float8 FROM order_minute
     ORDER BY 1`,
  );
  return new Map(counted.map(({ what, times }) => [what, times]));
}

async function fromApi(path: string): Promise<unknown> {
  const answer = await fetch(`${millrace.orderUrl}${path}`);
  expect(answer.status).toBe(200);
  return answer.json();
}

const idEarlier = (id: string, ms: number): string => {
  const time = (Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) - ms).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}${id.slice(13)}`;
};

/** What the API tells of an order, as it would tell it had it been placed earlier. */
function toldEarlier(told: unknown, ms: number): unknown {
  const text = JSON.stringify(told)
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => idEarlier(id, ms))
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) => new Date(Date.parse(time) - ms).toISOString())
    .replaceAll(/MP[0-9A-F]{16}/g, 'a number of its own');
  return JSON.parse(text);
}

beforeAll(async () => {
  millrace = await startMillrace({ dir: `${folder.path}/shop`, say: () => {} });
  await millrace.settled();
  since = new Date();
  empty = await rows();
  await place();
  once = await rows();
  countedOnce = await figures();
  placed = await placedSince(since, millrace.shop);
  let before = 0;
  for (const count of COPIES) {
    await copyOrders(millrace.shop, placed, { count, before, stop, onCopied: () => {} });
    before += count;
  }
}, START_WITHIN_MS);
afterAll(async () => {
  await millrace.stop();
  await folder.remove();
}, START_WITHIN_MS);

describe('orders that are copied in the databases', () => {
  it('leave as many rows in every table as so many orders that are placed', async () => {
    const due = [...once].map(([table, count]) => [table, count + COPIES_IN_ALL * (count - (empty.get(table) ?? 0))]);
    expect(placed.orders).toBeGreaterThan(0);
    expect([...(await rows())]).toEqual(due);
    for (const [table, count] of once) expect([table, count > (empty.get(table) ?? 0)]).toEqual([table, true]);
  });

  // Order by order, the books ask for mails only of orders placed since there is a mail server.
  it('add up in the books, by their sums and order by order, but for the mails that nobody was sent', async () => {
    const completed = placed.orders * (1 + COPIES_IN_ALL);
    expect(await totalsOf(millrace.shop, placed.orders * COPIES_IN_ALL)).toEqual({
      balance: true,
      findings: [],
      completed,
    });
    expect((await totalsOf(millrace.shop)).findings).toEqual([expect.stringContaining('mails arrived')]);
    const { verdicts, orders } = await checkBooks(millrace.shop);
    expect(orders).toEqual({ completed, cancelled: 0, open: 0 });
    expect(verdicts.filter(({ holds }) => !holds)).toEqual([]);
  });

  it('are in everything that analytics counts', async () => {
    const due = [...countedOnce].map(([what, times]) => [what, times * (1 + COPIES_IN_ALL)]);
    expect(due.length).toBeGreaterThan(20);
    expect([...(await figures())]).toEqual(due);
  });

  it('are older than those that were placed, a span apart, in every database', async () => {
    const { databases } = millrace.shop;
    const [first] = await asked<{ id: string }>(
      databases.order,
      `SELECT order_id AS id FROM orders ORDER BY order_id DESC LIMIT 1`,
    );
    const due = [1, 2, 3, 4, 5].map((nth) => idEarlier(first?.id ?? '', nth * spanMsOf(placed)));
    const tables = {
      order: ['orders', 'checkouts', 'idempotency_keys', 'order_notifications'],
      inventory: ['reservation'],
      payment: ['payment'],
      payment_provider: ['charge'],
      shipping: ['shipment'],
      notification: ['notification'],
    } as const;
    for (const [database, names] of Object.entries(tables)) {
      for (const table of names) {
        const found = await asked<{ id: string }>(
          databases[database as DatabaseName],
          `SELECT DISTINCT order_id AS id FROM ${table} WHERE order_id = ANY('{${due.join(',')}}') ORDER BY 1 DESC`,
        );
        expect([table, ...found.map(({ id }) => id)]).toEqual([table, ...due]);
      }
    }
  });

  it('are told by the order API as the order is that they are copies of', async () => {
    const [order] = await asked<{ id: string }>(
      millrace.shop.databases.order,
      `SELECT order_id AS id FROM orders ORDER BY order_id DESC LIMIT 1`,
    );
    const id = order?.id ?? '';
    for (const nth of [1, COPIES_IN_ALL]) {
      const ms = nth * spanMsOf(placed);
      for (const path of ['', '/timeline']) {
        const original = toldEarlier(await fromApi(`/orders/${id}${path}`), ms);
        const copy = toldEarlier(await fromApi(`/orders/${idEarlier(id, ms)}${path}`), 0);
        expect(copy).toEqual(original);
      }
    }
  });

  it('are in nobody’s way: orders that are placed afterwards are completed', async () => {
    await place();
    const { balance, findings, completed } = await totalsOf(millrace.shop, placed.orders * COPIES_IN_ALL);
    expect(findings).toEqual([]);
    expect(balance).toBe(true);
    expect(completed).toBeGreaterThan(placed.orders * (1 + COPIES_IN_ALL));
  });
});

describe('orders that cannot be copied', () => {
  it('are those whose copies would be so old that the shop forgets them', async () => {
    const day = copyOrders(millrace.shop, placed, { count: 24 * 60, before: 0, stop, onCopied: () => {} });
    await expect(day).rejects.toThrow('the shop forgets after a day');
  });

  it('are those of a shop with a table that nobody thought of', async () => {
    await asked(millrace.shop.databases.payment, 'CREATE TABLE gift_card (order_id uuid PRIMARY KEY)');
    await expect(placedSince(since, millrace.shop)).rejects.toThrow(
      'what becomes of the table gift_card of payment when orders are copied',
    );
  });

  it('are orders that are not completed', async () => {
    await asked(
      millrace.shop.databases.order,
      `UPDATE checkouts SET status = 'cancelled', reason = 'payment-declined' WHERE order_id = (SELECT max(order_id::text)::uuid FROM checkouts)`,
    );
    await expect(placedSince(since, millrace.shop)).rejects.toThrow('only completed orders are copied');
  });
});

import { CancellationReason } from '@millrace/contracts';
import { Database } from '@millrace/database';
import type { TestDatabase } from '@millrace/database/testing';
import { resetProjection } from '@millrace/messaging';
import { TestTopics, until } from '@millrace/messaging/testing';
import type { RunningService } from '@millrace/service';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { STEPS } from '../src/figures/domain/deltas.ts';
import { analyticsDatabase, recordOf, startAnalytics } from './running-analytics.ts';
import { shopEvent } from './shop-events.arbitrary.ts';

const GROUP = 'analytics.shop';
const TABLES = ['order_minute', 'product_sale', 'stock_out', 'latency_bucket', 'tally'];
const EVENTS = 1_500;

// A service joins its group anew and works off all events, on a busy machine.
const PATIENCE = { timeoutMs: 60_000 };
// One record in ten comes twice, as after a relay's crash between Kafka's answer and its own note of it.
const records = fc
  .sample(shopEvent, { numRuns: EVENTS, seed: 2026 })
  .map(recordOf)
  .flatMap((record, index) => (index % 10 === 0 ? [record, record] : [record]));

let topics: TestTopics;
let scratch: TestDatabase;
let database: Database;
let service: RunningService;
let metricsOfAnEmptyShop: string;

beforeAll(async () => {
  topics = new TestTopics();
  [scratch] = await Promise.all([analyticsDatabase(), topics.create([GROUP])]);
  database = new Database({ url: scratch.url, applicationName: 'test' });
  // By a replica of its own: a replica shows what it added up for some seconds.
  service = await startAnalytics(scratch, topics);
  metricsOfAnEmptyShop = await scrape();
  await service.stop();
  service = await startAnalytics(scratch, topics);
  await topics.send(records);
  await until('every event is counted', everyEventIsCounted, PATIENCE);
}, 120_000);

afterAll(async () => {
  await service.stop();
  await Promise.all([topics.close(), database.close()]);
  await scratch.drop();
});

describe('the analytics service', () => {
  it('counts every event once, also one that comes twice', async () => {
    const { messages } = await get<{ messages: { type: string; times: number }[] }>('/messages');
    const types = Map.groupBy(new Set(records), ({ headers }) => headers['ce_type']);
    expect(new Map(messages.map(({ type, times }) => [`millrace.${type}.v1`, times]))).toEqual(
      new Map([...types].map(([type, all]) => [type, all.length])),
    );
  });

  it('has the same figures after they are dropped and every event is projected again', async () => {
    const before = await figures();
    await service.stop();
    await database.transaction(async (tx) => {
      await tx.query(`TRUNCATE ${TABLES.join(', ')}`);
      await resetProjection(tx, GROUP);
    });
    expect(await everyEventIsCounted()).toBe(false);
    service = await startAnalytics(scratch, topics);
    await until('every event is counted again', everyEventIsCounted, PATIENCE);
    expect(await figures()).toEqual(before);
  }, 120_000);

  it('has the same figures when it stops and goes on', async () => {
    const before = await figures();
    await service.stop();
    service = await startAnalytics(scratch, topics);
    await until('the group is ready', async () => {
      const answer = await fetch(`${service.url}/health/ready`);
      return answer.ok;
    });
    expect(await figures()).toEqual(before);
  });

  it('tells orders and revenue per minute', async () => {
    const range = 'from=2026-01-01T12:00:00Z&to=2026-01-01T12:05:00Z';
    type Revenue = { minutes: { minute: string; currency: string; placed: number; revenueMinor: number }[] };
    const { minutes } = await get<Revenue>(`/revenue?${range}`);
    const { rows } = await database.query<{ placed: string; revenue: string }>(
      'SELECT sum(placed) AS placed, sum(revenue_minor) AS revenue FROM order_minute',
    );
    expect(minutes).toHaveLength(10);
    expect(String(minutes.reduce((sum, { placed }) => sum + placed, 0))).toBe(rows[0]?.placed);
    expect(String(minutes.reduce((sum, { revenueMinor }) => sum + revenueMinor, 0))).toBe(rows[0]?.revenue);
    const euros = await get<Revenue>(`/revenue?${range}&currency=EUR`);
    expect(euros.minutes).toEqual(minutes.filter(({ currency }) => currency === 'EUR'));
    const lastMinute = await get<Revenue>('/revenue?from=2026-01-01T12:04:00%2B00:00&to=2026-01-01T12:05:00Z');
    expect(lastMinute.minutes).toEqual(minutes.filter(({ minute }) => minute === '2026-01-01T12:04:00.000Z'));
  });

  it('tells how far orders came and why others did not', async () => {
    const { steps, cancellations, refusals } = await get<{
      steps: { step: string; orders: number }[];
      cancellations: { reason: string }[];
      refusals: { by: string; reason: string }[];
    }>('/funnel');
    expect(steps.map(({ step }) => step)).toEqual([
      'placed',
      'stock-reserved',
      'payment-authorized',
      'confirmed',
      'dispatched',
      'completed',
      'delivered',
    ]);
    expect(steps.find(({ step }) => step === 'placed')?.orders).toBe(timesOf('OrderPlaced'));
    expect(cancellations.map(({ reason }) => reason)).toContain('timed-out');
    expect(refusals).toContainEqual(expect.objectContaining({ by: 'payment', reason: 'insufficient-funds' }));
    expect(refusals).toContainEqual(expect.objectContaining({ by: 'inventory', reason: 'out-of-stock' }));
  });

  it('names the products that sell best and those that are missing', async () => {
    const top = await get<{ products: { sku: string; units: number }[] }>('/products/top?limit=2&currency=EUR');
    expect(top.products).toHaveLength(2);
    expect(top.products[0]?.units).toBeGreaterThanOrEqual(top.products[1]?.units ?? 0);
    const missing = await get<{ products: { sku: string; orders: number; lastAt: string }[] }>('/stock-outs');
    expect(missing.products.map(({ sku }) => sku).sort()).toEqual(['MUG-1', 'POT-3', 'TEA-2']);
  });

  it('shows an empty shop as 0 in every series whose labels are known, so that the first order is an increase', () => {
    const shown = metricsOfAnEmptyShop.split('\n').filter((line) => line.startsWith('shop_'));
    expect(new Set(shown)).toEqual(
      new Set([
        ...['placed', 'confirmed', 'completed', 'cancelled'].map(
          (status) => `shop_orders_total{currency="EUR",status="${status}"} 0`,
        ),
        'shop_revenue_minor_total{currency="EUR"} 0',
        ...STEPS.map((step) => `shop_order_steps_total{step="${step}"} 0`),
        ...CancellationReason.options.map((reason) => `shop_cancellations_total{reason="${reason}"} 0`),
      ]),
    );
  });

  it('counts the shop in metrics', async () => {
    const text = await scrape();
    const sumOf = (series: RegExp) =>
      text
        .split('\n')
        .filter((line) => series.test(line))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    expect(sumOf(/^shop_orders_total\{currency="[A-Z]{3}",status="placed"\}/)).toBe(timesOf('OrderPlaced'));
    expect(sumOf(/^shop_orders_total\{currency="[A-Z]{3}",status="completed"\}/)).toBe(timesOf('OrderCompleted'));
    expect(sumOf(/^shop_order_steps_total\{step="dispatched"\}/)).toBe(timesOf('OrderDispatched'));
    expect(sumOf(/^shop_cancellations_total\{reason="/)).toBe(timesOf('OrderCancelled'));
    const { rows } = await database.query<{ revenue: number }>(
      'SELECT sum(revenue_minor)::float8 AS revenue FROM order_minute',
    );
    expect(sumOf(/^shop_revenue_minor_total\{currency="/)).toBe(rows[0]?.revenue);
  });

  it('tells how long orders take', async () => {
    const { steps } = await get<{ steps: Record<string, number | string>[] }>('/latency');
    expect(steps.map(({ step }) => step)).toEqual(['confirmed', 'dispatched', 'completed']);
    for (const { p50Ms = 0, p90Ms = 0, p95Ms = 0, p99Ms = 0 } of steps) {
      expect([p50Ms, p90Ms, p95Ms, p99Ms]).toEqual(
        [p50Ms, p90Ms, p95Ms, p99Ms].toSorted((a, b) => Number(a) - Number(b)),
      );
    }
  });

  it.each([
    ['/revenue?from=yesterday', 'from'],
    ['/revenue?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 'from'],
    ['/revenue?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:01Z', 'from'],
    ['/revenue?currency=euro', 'currency'],
    ['/products/top?limit=0', 'limit'],
    ['/products/top?limit=many', 'limit'],
    ['/stock-outs?limit=101', 'limit'],
  ])('refuses %s with a problem about %s', async (path, field) => {
    const answer = await fetch(`${service.url}${path}`);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await answer.json()).toMatchObject({ errors: [{ path: field }] });
  });

  it('describes its API', async () => {
    const { paths } = await get<{ paths: Record<string, object> }>('/openapi.json');
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/revenue', '/funnel', '/products/top', '/stock-outs', '/latency', '/messages']),
    );
  });
});

async function get<Answer>(path: string): Promise<Answer> {
  const answer = await fetch(`${service.url}${path}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Answer;
}

/** The metrics, with what is looked up in the database: a scrape leaves that out when the database takes longer than a second. */
function scrape(): Promise<string> {
  return until('the metrics tell of the shop', async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    return /^shop_orders_total\{/m.test(text) && text;
  });
}

function timesOf(type: string): number {
  return new Set(records.filter(({ headers }) => headers['ce_type'] === `millrace.${type}.v1`)).size;
}

async function everyEventIsCounted(): Promise<boolean> {
  const { rows } = await database.query<{ events: string | null }>(
    `SELECT sum(times) AS events FROM tally WHERE subject = 'message'`,
  );
  return Number(rows[0]?.events ?? 0) === EVENTS;
}

async function figures(): Promise<Record<string, unknown[]>> {
  const tables: Record<string, unknown[]> = {};
  for (const table of TABLES) {
    const { rows } = await database.query(`SELECT t::text FROM ${table} t ORDER BY t::text COLLATE "C"`);
    tables[table] = rows;
  }
  return tables;
}

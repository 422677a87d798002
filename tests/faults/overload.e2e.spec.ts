import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Shop } from '@millrace/embedded';
import { TestTopics, until } from '@millrace/messaging/testing';
import { checkBooks, NO_MAIL_REPEATED, waitForEnd } from '@millrace/shop';
import pg from 'pg';
import { requestOrder } from '../journeys/customers.ts';
import { shopUnderTest } from '../journeys/shop-under-test.ts';

const TEST_TIMEOUT_MS = 300_000;

const PATIENCE = { timeoutMs: 60_000 };

// Each order says two messages when it is accepted.
const OUTBOX_LIMIT = 300;
const OPEN_LIMIT = 150;

interface Answer {
  readonly status: number;
  readonly orderId: string | undefined;
  readonly reason: string | undefined;
  readonly retryAfter: number;
  readonly tookMs: number;
}

describe('a shop that is asked for more than it can do', () => {
  let shop: Shop;

  beforeAll(async () => {
    shop = await shopUnderTest({
      env: { order: { SHED_OUTBOX_MESSAGES: String(OUTBOX_LIMIT), SHED_OPEN_PLACEMENTS: String(OPEN_LIMIT) } },
    });
  }, TEST_TIMEOUT_MS);
  afterAll(async () => {
    await shop?.stop();
  });

  const ask = async (): Promise<Answer> => {
    const startedAt = performance.now();
    const response = await requestOrder(shop.urls.order);
    const { orderId, reason } = (await response.json()) as { orderId?: string; reason?: string };
    const retryAfter = Number(response.headers.get('retry-after'));
    return { status: response.status, orderId, reason, retryAfter, tookMs: performance.now() - startedAt };
  };
  const acceptedIn = (answers: readonly Answer[]): readonly string[] =>
    answers.flatMap(({ status, orderId }) => (status === 202 && orderId !== undefined ? [orderId] : []));
  const untilLetIn = (): Promise<unknown> =>
    until('orders are let in again', async () => (await ask()).status === 202, PATIENCE);
  const expectAllEnded = async (orderIds: readonly string[]): Promise<void> => {
    await waitForEnd(shop, { timeoutMs: 120_000 });
    const { verdicts } = await checkBooks(shop);
    expect(verdicts.filter(({ rule, holds }) => !holds && rule !== NO_MAIL_REPEATED)).toEqual([]);
    const database = new pg.Client({ connectionString: shop.databases.order });
    await database.connect();
    const { rows } = await database.query<{ status: string; orders: number }>(
      'SELECT status, count(*)::int AS orders FROM checkouts WHERE order_id = ANY($1) GROUP BY 1',
      [orderIds],
    );
    await database.end();
    expect(rows.map(({ status }) => status).filter((status) => !['completed', 'cancelled'].includes(status))).toEqual(
      [],
    );
    expect(rows.reduce((sum, { orders }) => sum + orders, 0)).toBe(orderIds.length);
  };

  it(
    'takes orders without Kafka until its outbox is full, turns the others away, and loses none of those that it took',
    async () => {
      const [broker] = shop.kafka.nodes;
      await broker?.kill('SIGKILL');
      const answers: Answer[] = [];
      const refused = await until(
        'an order is turned away',
        async () => {
          answers.push(...(await Promise.all(Array.from({ length: 10 }, ask))));
          return answers.find(({ status }) => status === 503);
        },
        PATIENCE,
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202, 503]));
      expect(acceptedIn(answers).length).toBeGreaterThanOrEqual(OUTBOX_LIMIT / 2 - 10);
      expect(refused).toMatchObject({ reason: 'outbox-full', retryAfter: expect.any(Number) });
      // The longer Kafka is away, the later it makes sense to come again.
      const late = await until(
        'it is away for a while',
        async () => {
          const answer = await ask();
          answers.push(answer);
          return answer.status === 503 && answer.retryAfter > 8 && answer;
        },
        PATIENCE,
      );
      expect(late.retryAfter).toBeLessThanOrEqual(60);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202, 503]));
      // A database that does not count in time tells nothing, and who asks in that moment is let in.
      const accepted = acceptedIn(answers);
      expect(accepted.length).toBeLessThan(OUTBOX_LIMIT);
      const [orderId = ''] = accepted;
      expect((await fetch(`${shop.urls.order}/orders/${orderId}`)).status).toBe(200);
      const cancelled = accepted.slice(0, 5);
      for (const id of cancelled) {
        const { status } = await fetch(`${shop.urls.order}/orders/${id}/cancellation`, { method: 'POST' });
        expect(status).toBe(202);
      }
      await broker?.start();
      await untilLetIn();
      await expectAllEnded(accepted);

      const topics = new TestTopics(shop.brokers.join(','), '');
      const said = await topics.read('order.events.v1');
      await topics.close();
      const versionsOf = Map.groupBy(said, ({ key }) => key);
      for (const id of accepted) {
        // Said again under the same id where nobody knew whether Kafka had it; never out of order.
        const of = new Map((versionsOf.get(id) ?? []).map(({ headers }) => [headers['ce_id'], headers]));
        const versions = [...of.values()].map((headers) => Number(headers['aggregate-version']));
        expect(versions.length).toBeGreaterThan(1);
        expect(versions).toEqual(versions.toSorted((a, b) => a - b));
      }
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'answers a burst far beyond its capacity at once, with 202 or 503, in bounded memory, and every 202 is an order',
    async () => {
      const REQUESTS = 1500;
      await untilLetIn();
      const memory = async (): Promise<number> => {
        const text = await (await fetch(`${shop.urls.order}/metrics`)).text();
        return Number(/^process_resident_memory_bytes (\d+)/m.exec(text)?.[1]);
      };
      const before = await memory();
      // Nothing can be stored while this is held: the capacity is none at all.
      const locker = new pg.Client({ connectionString: shop.databases.order });
      await locker.connect();
      await locker.query('BEGIN');
      await locker.query('LOCK TABLE idempotency_keys IN ACCESS EXCLUSIVE MODE');
      const answers: Answer[] = [];
      const asked: Promise<unknown>[] = [];
      const askWithoutEnd = async (): Promise<void> => {
        // Open loop: nobody waits for an answer before the next one asks.
        for (let sent = 0; sent < REQUESTS; sent += 50) {
          asked.push(...Array.from({ length: 50 }, () => ask().then((answer) => answers.push(answer))));
          await new Promise((resolve) => setImmediate(resolve));
        }
        const turnedAway = (): readonly Answer[] => answers.filter(({ reason }) => reason === 'too-many-waiting');
        // Those who were let in wait for the database, on a slow machine until it gives them up: others may then be let in.
        await until('nobody else waits', () => turnedAway().length >= REQUESTS - 3 * OPEN_LIMIT, PATIENCE);
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
        expect(Math.max(...turnedAway().map(({ retryAfter }) => retryAfter))).toBeLessThanOrEqual(2);
        expect((await memory()) - before).toBeLessThan(150 * 2 ** 20);
      };
      try {
        await askWithoutEnd();
      } finally {
        await locker.query('ROLLBACK');
        await locker.end();
      }
      await Promise.all(asked);
      // Those who come again meet a shop that works, and still ask for more than it can do.
      const burst = await Promise.all(Array.from({ length: 1000 }, ask));
      const all = [...answers, ...burst];
      expect(new Set(all.map(({ status }) => status))).toEqual(new Set([202, 503]));
      expect(Math.max(...burst.map(({ tookMs }) => tookMs))).toBeLessThan(20_000);
      expect((await memory()) - before).toBeLessThan(150 * 2 ** 20);
      expect(acceptedIn(all).length).toBeGreaterThan(OPEN_LIMIT / 2);
      await expectAllEnded(acceptedIn(all));
    },
    TEST_TIMEOUT_MS,
  );
});

import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '@millrace/messaging/testing';
import { Metrics } from '@millrace/observability';
import { type Answer, anOrder, type OrderApi, startOrderApi, stockedDatabase } from './order-api.ts';
import type { OrderDatabase } from './order-database.ts';

const LIMIT = 40;

let database: OrderDatabase;
let api: OrderApi;
let replica: OrderApi;
/** Further ones, with limits of their own. */
const others: OrderApi[] = [];
/** Sessions of the database that nobody else gets. */
const held: { release(): void }[] = [];

beforeAll(async () => {
  database = await stockedDatabase();
});
beforeEach(async () => {
  const env = { SHED_OUTBOX_MESSAGES: String(LIMIT), SHED_POOL_WAITERS: '10', SHED_OPEN_PLACEMENTS: '25' };
  [api, replica] = await Promise.all([startOrderApi(database.url, env), startOrderApi(database.url, env)]);
});
afterEach(async () => {
  letGo();
  await Promise.all([api, replica, ...others.splice(0)].map((each) => each.stop()));
  await database.database.query('TRUNCATE orders, checkouts, idempotency_keys, messaging.outbox');
});
afterAll(async () => {
  await database.drop();
});

const startOther = async (env: NodeJS.ProcessEnv): Promise<OrderApi> => {
  const other = await startOrderApi(database.url, env);
  others.push(other);
  return other;
};
const hold = async (): Promise<void> => {
  held.push(...(await Promise.all(Array.from({ length: 8 }, () => api.database.connect()))));
};
const letGo = (): void => {
  for (const session of held.splice(0)) session.release();
};
const place = (at = api): Promise<Answer> => at.place(anOrder, randomUUID());
const problem = (answer: Answer): unknown => ({
  status: answer.status,
  type: String(answer.body['type']).split('/').at(-1),
  reason: answer.body['reason'],
});
const tooBusy = (reason: string): unknown => ({ status: 503, type: 'too-busy', reason });
/** Places orders, one after the other, until one is turned away; answers those before it. */
const placeUntilTurnedAway = async (): Promise<{ accepted: readonly string[]; refused: Answer }> => {
  const accepted: string[] = [];
  const refused = await until('an order is turned away', async () => {
    const answer = await place();
    if (answer.status !== 202) return answer;
    accepted.push(String(answer.body['orderId']));
    return undefined;
  });
  return { accepted, refused };
};

describe('a full outbox', () => {
  it('has orders turned away by every replica, with the reason and when to come again, until it is sent', async () => {
    const { accepted, refused } = await placeUntilTurnedAway();
    expect(problem(refused)).toEqual(tooBusy('outbox-full'));
    expect(refused.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    await until('the other replica turns orders away, too', async () => (await place(replica)).status === 503);
    expect((await api.rows('orders')).map((row) => row['order_id'])).toEqual(expect.arrayContaining([...accepted]));
    await database.database.query('TRUNCATE messaging.outbox');
    for (const each of [api, replica]) {
      await until('orders are let in again', async () => (await place(each)).status === 202);
    }
  });

  it('keeps nobody from reading, nor from cancelling', async () => {
    const { accepted } = await placeUntilTurnedAway();
    const [orderId] = accepted;
    expect((await api.get(`/orders/${orderId}`)).status).toBe(200);
    expect((await api.get('/products')).status).toBe(200);
    expect((await api.call('POST', `/orders/${orderId}/cancellation`)).status).toBe(202);
    // Whoever asks while the last look is too old, or took too long, is let in.
    await until('orders are still turned away', async () => (await place()).status === 503);
  });

  it('does not use up the key of the order that is turned away', async () => {
    await placeUntilTurnedAway();
    const key = await until('a request with a key of its own is turned away', async () => {
      const ofOne = randomUUID();
      return (await api.place(anOrder, ofOne)).status === 503 && ofOne;
    });
    await database.database.query('TRUNCATE messaging.outbox');
    await until('the same request is accepted', async () => (await api.place(anOrder, key)).status === 202);
  });

  it('is looked at a few times a second, however many ask', async () => {
    let looks = 0;
    const { database: own } = api;
    const queryWithin = own.queryWithin.bind(own);
    own.queryWithin = (...args) => {
      looks += 1;
      return queryWithin(...args);
    };
    const startedAt = performance.now();
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 20 }, () => place()));
    expect(looks).toBeLessThanOrEqual(1 + Math.ceil((performance.now() - startedAt) / 250));
  });
});

it('messages that nobody sends for too long have orders turned away, too', async () => {
  const strict = await startOther({ SHED_OUTBOX_AGE_MS: '200' });
  expect((await place(strict)).status).toBe(202);
  const refused = await until('an order is turned away', async () => {
    const answer = await place(strict);
    return answer.status === 503 && answer;
  });
  expect(problem(refused)).toEqual(tooBusy('outbox-old'));
});

it('a database that cannot keep up has orders and cancellations turned away', async () => {
  const { body } = await place();
  await hold();
  const reads = Array.from({ length: 12 }, () => api.get('/products'));
  await until('as many wait as may', () => api.database.pool.waitingCount >= 10);
  expect(problem(await place())).toEqual(tooBusy('pool-busy'));
  const cancellation = await api.call('POST', `/orders/${String(body['orderId'])}/cancellation`);
  expect(problem(cancellation)).toEqual(tooBusy('pool-busy'));
  letGo();
  expect((await Promise.all(reads)).map(({ status }) => status)).toEqual(reads.map(() => 200));
  expect((await place()).status).toBe(202);
});

it('more orders at once than may wait are turned away, and each that was accepted is there', async () => {
  const roomy = await startOther({ SHED_OPEN_PLACEMENTS: '25' });
  const answers = await Promise.all(Array.from({ length: 200 }, () => place(roomy)));
  const accepted = answers.filter(({ status }) => status === 202);
  expect(accepted).toHaveLength(25);
  expect(new Set(answers.filter(({ status }) => status !== 202).map((answer) => answer.body['reason']))).toEqual(
    new Set(['too-many-waiting']),
  );
  expect((await roomy.rows('orders')).map((row) => row['order_id']).toSorted()).toEqual(
    accepted.map(({ body }) => body['orderId']).toSorted(),
  );
  expect(await roomy.app.get(Metrics).text()).toContain(
    'order_turned_away_total{request="order",reason="too-many-waiting"} 175',
  );
  expect((await place(roomy)).status).toBe(202);
});

it('a caller who gives up makes no room before the work of the request is done', async () => {
  const url = await api.app.listen(0, '127.0.0.1').then(() => api.app.getUrl());
  await hold();
  const controller = new AbortController();
  const given = Array.from({ length: 25 }, () =>
    fetch(`${url}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: JSON.stringify(anOrder),
      signal: controller.signal,
    }).catch(() => undefined),
  );
  const open = async (): Promise<string | undefined> =>
    /^order_open_placements (\d+)$/m.exec(await api.app.get(Metrics).text())?.[1];
  await until('as many wait as may', async () => (await open()) === '25');
  expect(problem(await place())).toEqual(tooBusy('too-many-waiting'));
  controller.abort();
  await Promise.all(given);
  await until('nobody waits', async () => (await open()) === '0');
  expect(problem(await place())).toEqual(tooBusy('too-many-waiting'));
  letGo();
  await until('orders are let in again', async () => (await place()).status === 202);
});

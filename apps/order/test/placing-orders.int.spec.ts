import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { cuttableLine } from './cuttable-line.ts';
import { anOrder, type OrderApi, startOrderApi, stockedDatabase } from './order-api.ts';
import type { OrderDatabase } from './order-database.ts';

let database: OrderDatabase;
let api: OrderApi;
let replica: OrderApi;

beforeAll(async () => {
  database = await stockedDatabase();
  api = await startOrderApi(database.url);
  replica = await startOrderApi(database.url);
});

beforeEach(async () => {
  await api.database.query('TRUNCATE orders, checkouts, idempotency_keys, messaging.outbox');
});

afterAll(async () => {
  await Promise.all([api.stop(), replica.stop()]);
  await database.drop();
});

const stored = async (): Promise<Record<string, number>> => ({
  orders: (await api.rows('orders')).length,
  checkouts: (await api.rows('checkouts')).length,
  keys: (await api.rows('idempotency_keys')).length,
});

describe('placing an order', () => {
  it('is answered with 202, where the order is, and what it costs', async () => {
    const { status, headers, body } = await api.place(anOrder, randomUUID());
    const path = `/orders/${String(body['orderId'])}`;
    expect(status).toBe(202);
    expect(headers['location']).toBe(path);
    expect(body).toEqual({
      orderId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      customerId: 'customer-1',
      status: 'placed',
      lines: [{ sku: 'MUG-BLUE', name: 'Blue mug', quantity: 2, unitPrice: { amountMinor: 1290, currency: 'EUR' } }],
      total: { amountMinor: 2580, currency: 'EUR' },
      placedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      links: {
        self: path,
        timeline: `${path}/timeline`,
        stream: `${path}/stream`,
        cancellation: `${path}/cancellation`,
      },
    });
  });

  it('stores order, checkout, key and first messages together', async () => {
    const { body } = await api.place(anOrder, 'key-1');
    expect(await stored()).toEqual({ orders: 1, checkouts: 1, keys: 1 });
    const [order] = await api.rows('orders');
    expect(order).toMatchObject({
      order_id: body['orderId'],
      total_minor: '2580',
      contact: { email: 'ada@example.com' },
    });
    expect(order?.['shipping_address']).not.toHaveProperty('email');
    expect(await api.rows('messaging.outbox')).toHaveLength(2);
  });

  it('takes many at once, each its own order', async () => {
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, index) => (index % 2 === 0 ? api : replica).place(anOrder, `key-${index}`)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => body['orderId'])).size).toBe(300);
    expect(await stored()).toEqual({ orders: 300, checkouts: 300, keys: 300 });
  });
});

describe('an order that cannot be sold', () => {
  it('is refused with 422 that names each line and why', async () => {
    const lines = ['MUG-BLUE', 'MUG-GONE', 'POSTER-US'].map((sku) => ({ sku, quantity: 1 }));
    const { status, headers, body } = await api.place({ ...anOrder, lines }, 'key-1');
    expect(status).toBe(422);
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({
      type: expect.stringMatching(/not-for-sale$/),
      skus: ['MUG-GONE', 'POSTER-US'],
      errors: [
        { path: 'lines[1].sku', message: 'there is no product MUG-GONE' },
        { path: 'lines[2].sku', message: 'POSTER-US is not sold in EUR' },
      ],
    });
  });

  it('does not use up its key', async () => {
    const lines = [{ sku: 'MUG-GONE', quantity: 1 }];
    await api.place({ ...anOrder, lines }, 'key-1');
    expect(await stored()).toEqual({ orders: 0, checkouts: 0, keys: 0 });
    expect((await api.place(anOrder, 'key-1')).status).toBe(202);
  });

  it('is refused when its total is too large to be exact', async () => {
    const lines = [{ sku: 'GOLD', quantity: 2 }];
    const { status, body } = await api.place({ ...anOrder, lines }, 'key-1');
    expect([status, body['type']]).toEqual([422, expect.stringMatching(/total-too-large$/)]);
  });

  it('leaves the orders beside it alone', async () => {
    const gone = { ...anOrder, lines: [{ sku: 'MUG-GONE', quantity: 1 }] };
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => api.place(index % 4 === 0 ? gone : anOrder, `key-${index}`)),
    );
    expect(answers.filter(({ status }) => status === 422)).toHaveLength(10);
    expect(await stored()).toEqual({ orders: 30, checkouts: 30, keys: 30 });
  });
});

describe('the idempotency key', () => {
  it.each([
    ['missing', undefined],
    ['blank', '   '],
    ['longer than 255 characters', 'k'.repeat(256)],
    ['not printable ASCII', 'schlüssel'],
  ])('is refused with 400 when it is %s', async (_, key) => {
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
    const { status, body } = await api.call('POST', '/orders', { headers, body: anOrder });
    expect([status, body['type']]).toEqual([400, expect.stringMatching(/idempotency-key-required$/)]);
    expect(body['detail']).toContain('Idempotency-Key');
  });

  it('may have 255 characters', async () => {
    expect((await api.place(anOrder, 'k'.repeat(255))).status).toBe(202);
  });

  it('brings a repeated request the first answer, byte by byte, on every replica', async () => {
    const first = await api.place(anOrder, 'key-1');
    await api.database.query(`UPDATE products SET price_minor = 9900, name = 'Dear mug' WHERE sku = 'MUG-BLUE'`);
    const again = [await api.place(anOrder, 'key-1'), await replica.place(anOrder, 'key-1')];
    await api.database.query(`UPDATE products SET price_minor = 1290, name = 'Blue mug' WHERE sku = 'MUG-BLUE'`);
    for (const { status, headers, text } of again) {
      expect([status, headers['location'], text]).toEqual([202, first.headers['location'], first.text]);
    }
    expect(await stored()).toEqual({ orders: 1, checkouts: 1, keys: 1 });
  });

  it('is refused with 422 for another body', async () => {
    await api.place(anOrder, 'key-1');
    const { status, body } = await api.place({ ...anOrder, customerId: 'customer-2' }, 'key-1');
    expect([status, body['type']]).toEqual([422, expect.stringMatching(/idempotency-key-reused$/)]);
    expect(await stored()).toEqual({ orders: 1, checkouts: 1, keys: 1 });
  });

  it('is answered with 409 while its first request is in flight here', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.place(anOrder, 'key-1')));
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([202, ...Array.from({ length: 9 }, () => 409)]);
    expect(answers.find(({ status }) => status === 409)?.headers['retry-after']).toBe('1');
    expect(await stored()).toEqual({ orders: 1, checkouts: 1, keys: 1 });
  });

  it('is answered with 409 at once while another replica works on it, and neighbours go on', async () => {
    const elsewhere = await replica.database.connect();
    await elsewhere.query('BEGIN');
    await elsewhere.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 1297043027))', ['key-1']);
    const [busy, free] = await Promise.all([api.place(anOrder, 'key-1'), api.place(anOrder, 'key-2')]);
    await elsewhere.query('COMMIT');
    elsewhere.release();
    expect([busy.status, free.status]).toEqual([409, 202]);
    expect((await api.place(anOrder, 'key-1')).status).toBe(202);
  });

  it('makes one order of one request that hits every replica at the same time', async () => {
    for (let round = 0; round < 20; round += 1) {
      const answers = await Promise.all([api, replica].map((each) => each.place(anOrder, `key-${round}`)));
      const accepted = answers.filter(({ status }) => status === 202).map(({ body }) => body['orderId']);
      expect(accepted.length).toBeGreaterThanOrEqual(1);
      expect(new Set(accepted).size).toBe(1);
      expect(answers.every(({ status }) => status === 202 || status === 409)).toBe(true);
    }
    expect(await stored()).toEqual({ orders: 20, checkouts: 20, keys: 20 });
  });
});

describe('a request that is not what the API describes', () => {
  it.each([
    ['invalid JSON', '{"customerId": ', {}, 400, 'invalid-json'],
    ['no body', '', {}, 400, 'empty-body'],
    ['another content type', '<order/>', { 'content-type': 'application/xml' }, 415, 'unsupported-media-type'],
    ['more than 64 KiB', JSON.stringify({ ...anOrder, customerId: 'x'.repeat(70_000) }), {}, 413, 'body-too-large'],
    ['a card number', JSON.stringify({ ...anOrder, paymentToken: '4111111111111111' }), {}, 400, 'invalid-request'],
    ['an unknown field', JSON.stringify({ ...anOrder, price: 1 }), {}, 400, 'invalid-request'],
    ['a list', '[]', {}, 400, 'invalid-request'],
  ])('is refused: %s', async (_, body, headers, status, type) => {
    const answer = await api.call('POST', '/orders', { headers: { 'idempotency-key': 'key-1', ...headers }, body });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ status, type: expect.stringMatching(new RegExp(`${type}$`)) });
    expect(answer.body['detail']).toEqual(expect.stringMatching(/\w/));
    expect(answer.text).not.toContain('4111111111111111');
    expect(await stored()).toEqual({ orders: 0, checkouts: 0, keys: 0 });
  });
});

describe('a database that is away', () => {
  it('is answered with 503, nothing is accepted, and the same request succeeds once it is back', async () => {
    const line = await cuttableLine(database.url);
    const far = await startOrderApi(line.url);
    expect((await far.place(anOrder, 'key-0')).status).toBe(202);
    await line.cut();
    const away = await Promise.all([
      far.place(anOrder, 'key-1'),
      far.get('/products'),
      far.get(`/orders?customer=customer-1`),
    ]);
    for (const { status, headers, body } of away) {
      expect([status, headers['retry-after'], body['type']]).toEqual([503, '1', expect.stringMatching(/unavailable$/)]);
    }
    expect(await stored()).toEqual({ orders: 1, checkouts: 1, keys: 1 });
    await line.mend();
    expect((await far.place(anOrder, 'key-1')).status).toBe(202);
    await line.cut();
    await far.stop();
  });
});

describe('a caller who hangs up', () => {
  it('leaves a whole order or none, and gets its answer by asking again', async () => {
    await api.app.listen(0, '127.0.0.1');
    const url = `${await api.app.getUrl()}/orders`;
    for (let round = 0; round < 30; round += 1) {
      const aborter = new AbortController();
      const key = `key-${round}`;
      const sent = fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify(anOrder),
        signal: aborter.signal,
      }).catch(() => 'aborted');
      for (let turn = 0; turn < round; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      aborter.abort();
      await sent;
    }
    const answers = await Promise.all(Array.from({ length: 30 }, (_, round) => settled(`key-${round}`)));
    expect(answers.every(({ status }) => status === 202)).toBe(true);
    expect(await stored()).toEqual({ orders: 30, checkouts: 30, keys: 30 });
  });
});

/** The answer once no earlier request with the key is in flight any more. */
async function settled(key: string): ReturnType<OrderApi['place']> {
  const answer = await api.place(anOrder, key);
  return answer.status === 409 ? settled(key) : answer;
}

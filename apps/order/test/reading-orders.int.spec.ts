import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type OrderId,
  PaymentAuthorized,
  PaymentCaptured,
  type PaymentId,
  type Quantities,
  ShipmentDispatched,
  type ShipmentId,
  StockRejected,
  StockReleased,
  StockReserved,
} from '@millrace/contracts';
import { anOrder, type OrderApi, startOrderApi, stockedDatabase } from './order-api.ts';
import type { OrderDatabase } from './order-database.ts';

let database: OrderDatabase;
let api: OrderApi;

beforeAll(async () => {
  database = await stockedDatabase();
  api = await startOrderApi(database.url);
});

beforeEach(async () => {
  await api.database.query('TRUNCATE orders, checkouts, idempotency_keys, order_notifications, messaging.outbox');
});

afterAll(async () => {
  await api.stop();
  await database.drop();
});

const unknownId = '0198c0de-0000-7000-8000-000000000001';

async function placed(customerId = 'customer-1', headers: Record<string, string> = {}): Promise<OrderId> {
  const { body } = await api.call('POST', '/orders', {
    headers: { 'idempotency-key': randomUUID(), ...headers },
    body: { ...anOrder, customerId },
  });
  return body['orderId'] as OrderId;
}

async function confirmed(): Promise<OrderId> {
  const orderId = await placed();
  await api.hear(StockReserved, { orderId, lines: anOrder.lines as Quantities, heldUntil: '2027-01-01T00:00:00.000Z' });
  await api.hear(PaymentAuthorized, {
    orderId,
    paymentId: randomUUID() as PaymentId,
    amount: { amountMinor: 2580, currency: 'EUR' },
  });
  return orderId;
}

async function completed(): Promise<OrderId> {
  const orderId = await confirmed();
  await dispatch(orderId);
  await api.hear(PaymentCaptured, {
    orderId,
    paymentId: randomUUID() as PaymentId,
    amount: { amountMinor: 2580, currency: 'EUR' },
  });
  return orderId;
}

async function dispatch(orderId: OrderId): Promise<void> {
  const shipmentId = randomUUID() as ShipmentId;
  await api.hear(ShipmentDispatched, { orderId, shipmentId, carrier: 'Swift', trackingNumber: 'SW-1' });
}

describe('an order', () => {
  it('is shown as the customer gave it, with what it costs and how far it is', async () => {
    const orderId = await placed();
    const { status, headers, body } = await api.get(`/orders/${orderId}`);
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(body).toMatchObject({
      orderId,
      customerId: 'customer-1',
      status: 'placed',
      version: 1,
      total: { amountMinor: 2580, currency: 'EUR' },
      lines: [{ sku: 'MUG-BLUE', quantity: 2 }],
      shippingAddress: anOrder.shippingAddress,
    });
    expect(body['updatedAt']).toBe(body['placedAt']);
    expect(body).not.toHaveProperty('paymentToken');
    expect(body).not.toHaveProperty('reason');
    expect(body).not.toHaveProperty('endedAt');
  });

  it('tells its parcel and its end once it is completed', async () => {
    const { body } = await api.get(`/orders/${await completed()}`);
    expect(body).toMatchObject({
      status: 'completed',
      version: 4,
      tracking: { carrier: 'Swift', trackingNumber: 'SW-1' },
    });
    expect(body['endedAt']).toBe(body['updatedAt']);
    expect(body).toHaveProperty('confirmedAt');
  });

  it('tells why it was cancelled', async () => {
    const orderId = await placed();
    await api.hear(StockRejected, { orderId, missing: [] });
    const { body } = await api.get(`/orders/${orderId}`);
    expect(body).toMatchObject({ status: 'cancelled', version: 2, reason: 'out-of-stock' });
  });

  it('is answered with 304 to who knows it already, until it changes', async () => {
    const orderId = await placed();
    const { headers } = await api.get(`/orders/${orderId}`);
    const etag = String(headers['etag']);
    const known = await api.get(`/orders/${orderId}`, { 'if-none-match': etag });
    expect([known.status, known.text, known.headers['etag']]).toEqual([304, '', etag]);
    await api.hear(StockRejected, { orderId, missing: [] });
    const changed = await api.get(`/orders/${orderId}`, { 'if-none-match': etag });
    expect(changed.status).toBe(200);
    expect(changed.headers['etag']).not.toBe(etag);
  });

  it.each(['', '/timeline', '/stream'])('that nobody placed is a 404 at %p', async (path) => {
    const { status, headers, body } = await api.get(`/orders/${unknownId}${path}`);
    expect(status).toBe(404);
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(body['type']).toMatch(/order-not-found$/);
  });

  it.each(['', '/timeline', '/stream'])('whose id is malformed is a 400 at %p', async (path) => {
    const { status, body } = await api.get(`/orders/not-an-id${path}`);
    expect([status, body['type']]).toEqual([400, expect.stringMatching(/invalid-request$/)]);
  });
});

describe('the list of orders', () => {
  it("has a customer's orders, newest first, page by page", async () => {
    const orderIds: OrderId[] = [];
    for (let index = 0; index < 5; index += 1) orderIds.push(await placed());
    await placed('customer-2');
    const seen: unknown[] = [];
    let pages = 0;
    for (let next: string | undefined = '/orders?customer=customer-1&limit=2'; next !== undefined; pages += 1) {
      const { headers, body } = await api.get(next);
      seen.push(...(body['orders'] as { orderId: string }[]).map(({ orderId }) => orderId));
      next = body['next'] as string | undefined;
      expect(headers['link']).toBe(next === undefined ? undefined : `<${next}>; rel="next"`);
    }
    expect(seen).toEqual(orderIds.toReversed());
    expect(pages).toBe(3);
  });

  it('has no next page when the last order is on this one', async () => {
    await placed();
    const { body, headers } = await api.get('/orders?customer=customer-1&limit=1');
    expect(body['orders']).toHaveLength(1);
    expect([body['next'], headers['link']]).toEqual([undefined, undefined]);
  });

  it('is empty for a customer who never ordered', async () => {
    expect((await api.get('/orders?customer=nobody')).body).toEqual({ orders: [] });
  });

  it("refuses another list's cursor", async () => {
    await placed();
    await placed();
    const { body } = await api.get('/orders?customer=customer-1&limit=1');
    const stolen = String(body['next']).replace('customer-1', 'customer-2');
    const { status, body: problem } = await api.get(stolen);
    expect([status, problem['errors']]).toEqual([400, [expect.objectContaining({ path: 'cursor' })]]);
  });

  it.each([
    ['no customer', ''],
    ['a customer no id can be', 'customer=a%20b'],
    ['two customers', 'customer=a&customer=b'],
    ['a limit of 0', 'customer=a&limit=0'],
    ['a limit over 100', 'customer=a&limit=101'],
    ['a limit that is no number', 'customer=a&limit=ten'],
    ['a tampered cursor', 'customer=a&cursor=AAAA'],
    ['an empty cursor', 'customer=a&cursor='],
    ['a misspelt parameter', 'customer=a&limits=5'],
  ])('is refused with %s', async (_, query) => {
    const { status, body } = await api.get(`/orders?${query}`);
    expect([status, body['type']]).toEqual([400, expect.stringMatching(/invalid-request$/)]);
  });
});

describe('the timeline', () => {
  it('tells every message, who said it, and how long each step took', async () => {
    const orderId = await completed();
    await api.database.query(
      `INSERT INTO order_notifications VALUES (gen_random_uuid(), $1, 'NotificationSent', 'order-confirmed', now())`,
      [orderId],
    );
    const { status, body } = await api.get(`/orders/${orderId}/timeline`);
    const entries = body['entries'] as {
      service: string;
      type: string;
      kind: string;
      sinceStartMs: number;
      sinceLastMs: number;
    }[];
    expect(status).toBe(200);
    expect(entries.map(({ service, type, kind }) => `${service} ${kind} ${type}`)).toEqual([
      'order request OrderAccepted',
      'order event OrderPlaced',
      'order command ReserveStock',
      'inventory event StockReserved',
      'order command AuthorizePayment',
      'payment event PaymentAuthorized',
      'order event OrderConfirmed',
      'order command ArrangeShipment',
      'shipping event ShipmentDispatched',
      'order event OrderDispatched',
      'order command CapturePayment',
      'order command CommitStock',
      'payment event PaymentCaptured',
      'order event OrderCompleted',
      'notification event NotificationSent',
    ]);
    expect(entries.at(-1)?.sinceStartMs).toBe(entries.reduce((sum, { sinceLastMs }) => sum + sinceLastMs, 0));
  });
});

describe('a cancellation', () => {
  const cancel = (orderId: string) => api.call('POST', `/orders/${orderId}/cancellation`);

  it('is asked for, as often as the customer likes, and told by the order', async () => {
    const orderId = await placed();
    const first = await cancel(orderId);
    expect([first.status, first.headers['location']]).toEqual([202, `/orders/${orderId}`]);
    expect(first.body).toMatchObject({ orderId, status: 'cancelling' });
    const history = (await api.rows('checkouts'))[0]?.['history'];
    const again = await cancel(orderId);
    expect([again.status, again.text]).toEqual([202, first.text]);
    expect((await api.rows('checkouts'))[0]?.['history']).toBe(history);
    await api.hear(StockReleased, { orderId, reason: 'requested' });
    expect((await cancel(orderId)).body).toMatchObject({ status: 'cancelled' });
    expect((await api.get(`/orders/${orderId}`)).body).toMatchObject({
      status: 'cancelled',
      reason: 'customer-request',
    });
  });

  it('is refused with 409 once the parcel has left', async () => {
    const orderId = await confirmed();
    await dispatch(orderId);
    const { status, body } = await cancel(orderId);
    expect([status, body['type']]).toEqual([409, expect.stringMatching(/already-dispatched$/)]);
    expect((await api.get(`/orders/${orderId}`)).body['status']).toBe('dispatched');
  });

  it('of an order that nobody placed is a 404, of a malformed id a 400', async () => {
    expect((await cancel(unknownId)).status).toBe(404);
    expect((await cancel('not-an-id')).status).toBe(400);
  });

  it('asked for many times at once changes the order once', async () => {
    const orderId = await confirmed();
    const answers = await Promise.all(Array.from({ length: 10 }, () => cancel(orderId)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect((await api.get(`/orders/${orderId}`)).body).toMatchObject({ status: 'cancelling', version: 3 });
  });
});

describe('the products', () => {
  it('are listed by sku with their prices, page by page', async () => {
    const first = await api.get('/products?limit=3');
    expect((first.body['products'] as { sku: string }[]).map(({ sku }) => sku)).toEqual([
      'GOLD',
      'MUG-BLUE',
      'POSTER-US',
    ]);
    const second = await api.get(String(first.body['next']));
    expect(second.body).toEqual({
      products: [{ sku: 'TEA-GREEN', name: 'Green tea', price: { amountMinor: 799, currency: 'EUR' } }],
    });
  });

  it.each([
    ['blue', ['MUG-BLUE']],
    ['gReEn', ['TEA-GREEN']],
    ['poster-', ['POSTER-US']],
    ['%', []],
    ['_', []],
    ['\\', []],
  ])('are searched for %p as it stands', async (text, skus) => {
    const { status, body } = await api.get(`/products?q=${encodeURIComponent(text)}`);
    expect(status).toBe(200);
    expect((body['products'] as { sku: string }[]).map(({ sku }) => sku)).toEqual(skus);
  });

  it('are not searched for what no name can hold', async () => {
    expect((await api.get('/products?q=%00')).status).toBe(400);
  });

  it('are found one by one', async () => {
    expect((await api.get('/products/MUG-BLUE')).body['name']).toBe('Blue mug');
    expect((await api.get('/products/MUG-GONE')).status).toBe(404);
    expect((await api.get('/products/mug blue')).status).toBe(400);
  });
});

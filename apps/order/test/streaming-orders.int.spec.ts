import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type OrderId, StockRejected, StockReleased } from '@millrace/contracts';
import { until } from '@millrace/messaging/testing';
import { Health, Metrics } from '@millrace/observability';
import { cuttableLine, type CuttableLine } from './cuttable-line.ts';
import { type EventStream, openStream } from './event-stream.ts';
import { anOrder, type OrderApi, startOrderApi, stockedDatabase } from './order-api.ts';
import type { OrderDatabase } from './order-database.ts';

let database: OrderDatabase;
let line: CuttableLine;
let api: OrderApi;
let replica: OrderApi;
const streams: EventStream[] = [];

beforeAll(async () => {
  database = await stockedDatabase();
  line = await cuttableLine(database.url);
});

beforeEach(async () => {
  [api, replica] = await Promise.all([startOrderApi(line.url, { MAX_STREAMS: '3' }), startOrderApi(database.url)]);
  await api.app.listen(0, '127.0.0.1');
});

afterEach(async () => {
  for (const stream of streams.splice(0)) stream.hangUp();
  await Promise.all([api.stop(), replica.stop()]);
});

afterAll(async () => {
  await line.cut();
  await database.drop();
});

async function placed(): Promise<OrderId> {
  return (await api.place(anOrder, randomUUID())).body['orderId'] as OrderId;
}

async function open(orderId: OrderId, lastEventId?: string): Promise<EventStream> {
  const stream = await openStream(`${await api.app.getUrl()}/orders/${orderId}/stream`, lastEventId);
  streams.push(stream);
  return stream;
}

async function openStreams(): Promise<string | undefined> {
  return (await api.app.get(Metrics).text()).match(/^order_streams_open (\d+)/m)?.[1];
}

describe('the stream of an order', () => {
  it('begins with the present status, tells each change on whatever replica, and closes at the end', async () => {
    const orderId = await placed();
    const stream = await open(orderId);
    expect(stream.status).toBe(200);
    expect(stream.contentType).toMatch(/^text\/event-stream/);
    expect(await stream.next()).toMatchObject({
      id: '1',
      event: 'status',
      data: { orderId, status: 'placed', version: 1 },
    });
    await replica.call('POST', `/orders/${orderId}/cancellation`);
    expect(await stream.next()).toMatchObject({ id: '2', data: { status: 'cancelling', reason: 'customer-request' } });
    await replica.hear(StockReleased, { orderId, reason: 'requested' });
    expect(await stream.next()).toMatchObject({ id: '3', data: { status: 'cancelled', reason: 'customer-request' } });
    expect(await stream.next()).toBeUndefined();
    await until('the stream is closed', async () => (await openStreams()) === '0');
  });

  it('tells changes that follow each other at once one by one', async () => {
    const orderId = await placed();
    const stream = await open(orderId);
    await stream.next();
    await replica.call('POST', `/orders/${orderId}/cancellation`);
    await replica.hear(StockReleased, { orderId, reason: 'requested' });
    expect((await stream.next())?.data).toMatchObject({ status: 'cancelling', version: 2 });
    expect((await stream.next())?.data).toMatchObject({ status: 'cancelled', version: 3 });
  });

  it('goes on after the last event that was received', async () => {
    const orderId = await placed();
    await replica.call('POST', `/orders/${orderId}/cancellation`);
    const stream = await open(orderId, '1');
    expect((await stream.next())?.data).toMatchObject({ status: 'cancelling', version: 2 });
  });

  it('tells all of an order that has ended, and 204 to who has heard it all', async () => {
    const orderId = await placed();
    await replica.hear(StockRejected, { orderId, missing: [] });
    const stream = await open(orderId);
    expect((await stream.next())?.data).toMatchObject({ status: 'placed' });
    expect((await stream.next())?.data).toMatchObject({ status: 'cancelled' });
    expect(await stream.next()).toBeUndefined();
    expect((await open(orderId, '2')).status).toBe(204);
  });

  it('is refused with 400 for an id that no event has', async () => {
    expect((await open(await placed(), 'last')).status).toBe(400);
  });

  it('is refused with 503 when there are as many as there may be, until one of them hangs up', async () => {
    const orderId = await placed();
    const open3 = [await open(orderId), await open(orderId), await open(orderId)];
    const refused = await open(orderId);
    expect([refused.status, refused.retryAfter]).toEqual([503, '1']);
    open3[0]?.hangUp();
    await until('one stream is closed', async () => (await openStreams()) === '2');
    expect((await open(orderId)).status).toBe(200);
  });

  it('survives an outage of the database and tells what was missed', async () => {
    const orderId = await placed();
    const stream = await open(orderId);
    await stream.next();
    await line.cut();
    await replica.hear(StockRejected, { orderId, missing: [] });
    await line.mend();
    expect((await stream.next())?.data).toMatchObject({ status: 'cancelled' });
  });

  it('ends when the service stops', async () => {
    const stream = await open(await placed());
    await stream.next();
    api.app.get(Health).startDraining();
    expect(await stream.next()).toBeUndefined();
    expect((await open(await placed())).status).toBe(503);
  });
});

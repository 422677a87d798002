import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type AnyContract,
  type BodyOf,
  encode,
  newId,
  type OrderId,
  PaymentAuthorized,
  PaymentCaptured,
  type PaymentId,
  type Quantities,
  ShipmentDispatched,
  type ShipmentId,
  StockReserved,
} from '@millrace/contracts';
import { TestTopics, until } from '@millrace/messaging/testing';
import type { RunningService } from '@millrace/service';
import { openStream } from './event-stream.ts';
import { anOrder, stockedDatabase } from './order-api.ts';
import type { OrderDatabase } from './order-database.ts';
import { startOrder } from './running-order.ts';

const topics = new TestTopics();
let database: OrderDatabase;
let service: RunningService;

beforeAll(async () => {
  [database] = await Promise.all([
    stockedDatabase(),
    topics.create(['order.checkout', 'order.timeline', 'order.prices']),
  ]);
  service = await startOrder(database, topics);
});

afterAll(async () => {
  await service.stop();
  await topics.close();
  await database.drop();
});

function place(url: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID(), ...headers },
    body: JSON.stringify(anOrder),
  });
}

async function get(path: string): Promise<Record<string, unknown>> {
  return (await (await fetch(service.url + path)).json()) as Record<string, unknown>;
}

/** Says it as its service does. */
async function say<C extends AnyContract>(contract: C, body: BodyOf<C>): Promise<void> {
  const source = contract.topic.name.split('.')[0] ?? '';
  await topics.send([
    encode(contract(body), { id: newId(), source, time: new Date(), correlationId: contract.keyOf(body) }),
  ]);
}

async function commandsAbout(topic: string, orderId: OrderId): Promise<readonly Readonly<Record<string, string>>[]> {
  const records = await topics.read(topic);
  return records.filter(({ key }) => key === orderId).map(({ headers }) => headers);
}

describe('the order API, over a real broker', () => {
  it('takes an order to its end, and shows each step to who watches', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const answer = await place(service.url, { traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
    expect(answer.status).toBe(202);
    const { orderId } = (await answer.json()) as { orderId: OrderId };
    const stream = await openStream(`${service.url}/orders/${orderId}/stream`);
    const payment = { orderId, paymentId: newId<PaymentId>(), amount: { amountMinor: 2580, currency: 'EUR' } };
    await say(StockReserved, {
      orderId,
      lines: anOrder.lines as Quantities,
      heldUntil: new Date(Date.now() + 3_600_000).toISOString(),
    });
    await until(
      'the payment is asked for',
      async () => (await commandsAbout('payment.commands.v1', orderId)).length > 0,
    );
    await say(PaymentAuthorized, payment);
    await until(
      'the parcel is asked for',
      async () => (await commandsAbout('shipping.commands.v1', orderId)).length > 0,
    );
    await say(ShipmentDispatched, {
      orderId,
      shipmentId: newId<ShipmentId>(),
      carrier: 'Swift',
      trackingNumber: 'SW-1',
    });
    await until('the money is asked for', async () => (await commandsAbout('payment.commands.v1', orderId)).length > 1);
    await say(PaymentCaptured, payment);

    const statuses: unknown[] = [];
    for (let event = await stream.next(); event !== undefined; event = await stream.next())
      statuses.push(event.data['status']);
    expect(statuses).toEqual(['placed', 'confirmed', 'dispatched', 'completed']);
    expect(await get(`/orders/${orderId}`)).toMatchObject({ status: 'completed', version: 4 });
    const timeline = await get(`/orders/${orderId}/timeline`);
    expect(timeline['traceId']).toBe(traceId);
    expect(timeline['entries']).toHaveLength(14);
    const [reserveStock] = await commandsAbout('inventory.commands.v1', orderId);
    expect(reserveStock?.['traceparent']).toContain(traceId);
  });

  it('tells the id of the trace with every answer, and in every problem', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    const answers = await Promise.all([
      place(service.url, headers),
      fetch(`${service.url}/products`, { headers }),
      fetch(`${service.url}/orders/${newId<OrderId>()}/cancellation`, { method: 'POST', headers }),
      fetch(`${service.url}/products`, { method: 'DELETE', headers }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([202, 200, 404, 405]);
    for (const answer of answers) expect(answer.headers.get('traceresponse')).toContain(traceId);
    const problem = await fetch(`${service.url}/orders/not-an-id`, { headers });
    expect(problem.headers.get('traceresponse')).toContain(traceId);
    expect(await problem.json()).toMatchObject({ status: 400, traceId });
  });

  it('has committed what it accepted when it stops, and refuses the rest', async () => {
    const stopping = await startOrder(database, topics);
    const answers = Array.from({ length: 200 }, () => place(stopping.url).catch(() => undefined));
    await Promise.race(answers);
    await stopping.stop();
    const settled = await Promise.all(answers);
    const accepted = settled.flatMap((answer) => (answer?.status === 202 ? [answer] : []));
    expect(accepted.length).toBeGreaterThan(0);
    for (const answer of accepted) {
      const { orderId } = (await answer.json()) as { orderId: OrderId };
      expect(await get(`/orders/${orderId}`)).toMatchObject({ orderId });
    }
    expect(settled.every((answer) => answer === undefined || [202, 503].includes(answer.status))).toBe(true);
  });
});

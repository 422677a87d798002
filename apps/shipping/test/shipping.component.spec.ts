import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Address,
  type AnyContract,
  ArrangeShipment,
  type BodyOf,
  CancelShipment,
  encode,
  type MessageId,
  newId,
  type OrderId,
  Quantities,
} from '@millrace/contracts';
import { Database } from '@millrace/database';
import { TestTopics, until } from '@millrace/messaging/testing';
import type { RunningService } from '@millrace/service';
import { type RunningShipping, runShipping } from './running-shipping.ts';

// Two services that differ in their carrier's haste: the quick one reports by itself within the test, the patient one never does.
const haste = {
  quick: { CARRIER_DISPATCH_AFTER_MS: '50', CARRIER_DELIVER_AFTER_MS: '50' },
  patient: { CARRIER_DISPATCH_AFTER_MS: '86400000', CARRIER_DELIVER_AFTER_MS: '86400000' },
};

// For six hundred parcels on a busy machine.
const PATIENCE = { timeoutMs: 60_000 };

const running: RunningShipping[] = [];

async function start(carrier: Record<string, string>): Promise<RunningShipping> {
  const shipping = await runShipping(carrier);
  running.push(shipping);
  return shipping;
}

afterAll(async () => {
  for (const shipping of running) await shipping.stop();
});

const lines = Quantities.parse([{ sku: 'TEA-1', quantity: 2 }]);
const address = (postcode: string) =>
  Address.parse({ name: 'Ada', street: '1 Mill Lane', postcode, city: 'Berlin', country: 'DE' });
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

/** A command as the checkout would say it. */
function command<C extends AnyContract>(contract: C, body: BodyOf<C>, id: MessageId = newId()) {
  const correlationId = `order ${contract.keyOf(body)}`;
  return {
    id,
    ...encode(contract(body), { id, source: 'order', time: new Date(), correlationId, traceparent: TRACEPARENT }),
  };
}

const arrange = (orderId: OrderId, postcode = '10115') =>
  command(ArrangeShipment, { orderId, lines, address: address(postcode) });
const cancel = (orderId: OrderId) => command(CancelShipment, { orderId });

/** What is said about an order, once there are `count` messages or more. */
function said(topics: TestTopics, orderId: OrderId, count: number) {
  return until(`${count} messages about the shipment`, async () => {
    const records = (await topics.read('shipping.events.v1')).filter(({ key }) => key === orderId);
    if (records.length < count) return undefined;
    return records.map(({ headers, value }) => ({
      type: headers['ce_type']?.replace(/^millrace\.|\.v1$/g, ''),
      headers,
      body: JSON.parse(String(value)) as Record<string, string>,
    }));
  });
}

const typesOf = (messages: Awaited<ReturnType<typeof said>>) => messages.map(({ type }) => type);

describe('a shipping service whose carrier reports by itself', () => {
  let topics: TestTopics;
  let service: RunningService;
  beforeAll(async () => {
    ({ topics, service } = await start(haste.quick));
  });

  it('arranges, dispatches and delivers a parcel, all in the conversation and trace of its order', async () => {
    const orderId = newId<OrderId>();
    await topics.send([arrange(orderId)]);
    const messages = await said(topics, orderId, 3);
    expect(typesOf(messages)).toEqual(['ShipmentArranged', 'ShipmentDispatched', 'ShipmentDelivered']);
    for (const { headers, body } of messages) {
      expect(headers['correlation-id']).toBe(`order ${orderId}`);
      expect(headers['traceparent']?.split('-')[1]).toBe(TRACEPARENT.split('-')[1]);
      expect(body['shipmentId']).toBe(messages[0]?.body['shipmentId']);
    }
  });

  it('delivers many parcels at once, each exactly once', async () => {
    const orderIds = Array.from({ length: 600 }, () => newId<OrderId>());
    await topics.send(orderIds.map((orderId) => arrange(orderId)));
    const mine = new Set<string>(orderIds);
    await until(
      'all parcels are delivered',
      async () => {
        const { rows } = await service.app
          .get(Database)
          .query<{ delivered: number }>(
            `SELECT count(*)::int AS delivered FROM shipment WHERE order_id = ANY($1::uuid[]) AND status = 'delivered'`,
            [orderIds],
          );
        return rows[0]?.delivered === orderIds.length;
      },
      PATIENCE,
    );
    const all = await until(
      'all of it is said',
      async () => {
        const records = (await topics.read('shipping.events.v1')).filter(({ key }) => key !== null && mine.has(key));
        return records.length >= 3 * orderIds.length && records;
      },
      PATIENCE,
    );
    expect(all).toHaveLength(3 * orderIds.length);
    const byOrder = Map.groupBy(all, ({ key }) => key);
    for (const records of byOrder.values()) {
      expect(records.map(({ headers }) => headers['ce_type'])).toEqual(
        ['ShipmentArranged', 'ShipmentDispatched', 'ShipmentDelivered'].map((type) => `millrace.${type}.v1`),
      );
    }
  }, 150_000);

  it('refuses a postcode that the carrier does not serve', async () => {
    const orderId = newId<OrderId>();
    await topics.send([arrange(orderId, '99999')]);
    expect((await said(topics, orderId, 1))[0]).toMatchObject({
      type: 'ShipmentRefused',
      body: { orderId, reason: 'postcode-not-served' },
    });
  });

  it('answers a recall with the dispatch once the parcel has left', async () => {
    const orderId = newId<OrderId>();
    await topics.send([arrange(orderId)]);
    await said(topics, orderId, 3);
    await topics.send([cancel(orderId)]);
    const messages = await said(topics, orderId, 4);
    expect(messages[3]).toMatchObject({ type: 'ShipmentDispatched', body: messages[1]?.body });
  });

  it('tells where the parcel of an order is', async () => {
    const orderId = newId<OrderId>();
    await topics.send([arrange(orderId)]);
    const [arranged] = await said(topics, orderId, 3);
    const response = await fetch(`${service.url}/shipments/${orderId}`);
    expect(await response.json()).toEqual({
      orderId,
      shipmentId: arranged?.body['shipmentId'],
      status: 'delivered',
      carrier: 'Millrace Parcel',
      trackingNumber: arranged?.body['trackingNumber'],
      refusalReason: null,
      lines,
      address: address('10115'),
      updatedAt: expect.any(String),
    });
    expect((await fetch(`${service.url}/shipments/${newId()}`)).status).toBe(404);
    expect((await fetch(`${service.url}/shipments/1`)).status).toBe(400);
  });
});

describe('a shipping service whose carrier takes its time', () => {
  let topics: TestTopics;
  let service: RunningService;
  beforeAll(async () => {
    ({ topics, service } = await start(haste.patient));
  });

  const report = (trackingNumber: string | undefined, event: string) =>
    fetch(`${service.url}/webhooks/carrier`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ trackingNumber, event }),
    });

  it('books once when a command comes twice, under its own id or a new one, and answers a new one with the truth', async () => {
    const orderId = newId<OrderId>();
    const first = arrange(orderId);
    await topics.send([first, first, arrange(orderId), cancel(orderId), cancel(orderId)]);
    const messages = await said(topics, orderId, 4);
    expect(typesOf(messages)).toEqual([
      'ShipmentArranged',
      'ShipmentArranged',
      'ShipmentCancelled',
      'ShipmentCancelled',
    ]);
    expect(messages[1]?.body).toEqual(messages[0]?.body);
  });

  it('remembers the recall of a parcel that it never saw, and refuses to arrange it later', async () => {
    const orderId = newId<OrderId>();
    await topics.send([cancel(orderId), arrange(orderId)]);
    const messages = await said(topics, orderId, 2);
    expect(typesOf(messages)).toEqual(['ShipmentCancelled', 'ShipmentRefused']);
    expect(messages[1]?.body).toEqual({ orderId, reason: 'shipment-cancelled' });
  });

  it('takes the reports of a carrier that calls by itself, once however often it calls', async () => {
    const orderId = newId<OrderId>();
    await topics.send([arrange(orderId)]);
    const [arranged] = await said(topics, orderId, 1);
    const trackingNumber = arranged?.body['trackingNumber'];
    const answers = await Promise.all([1, 2, 3].map(() => report(trackingNumber, 'collected')));
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204]);
    expect((await report(trackingNumber, 'delivered')).status).toBe(204);
    expect((await report(trackingNumber, 'collected')).status).toBe(204);
    const messages = await said(topics, orderId, 3);
    expect(typesOf(messages)).toEqual(['ShipmentArranged', 'ShipmentDispatched', 'ShipmentDelivered']);
    expect(messages[2]?.headers['correlation-id']).toBe(`order ${orderId}`);
  });

  it('refuses reports about parcels that nobody sent or that were recalled', async () => {
    const unknown = await report('MP0', 'collected');
    expect([unknown.status, await unknown.json()]).toEqual([
      404,
      expect.objectContaining({ title: 'Unknown tracking number' }),
    ]);
    expect((await report('MP0', 'lost')).status).toBe(400);

    const orderId = newId<OrderId>();
    await topics.send([arrange(orderId), cancel(orderId)]);
    const [arranged] = await said(topics, orderId, 2);
    expect((await report(arranged?.body['trackingNumber'], 'collected')).status).toBe(409);
    expect(await said(topics, orderId, 2)).toHaveLength(2);
  });
});

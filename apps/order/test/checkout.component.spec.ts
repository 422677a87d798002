import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type AnyContract,
  type BodyOf,
  encode,
  newId,
  NotificationSent,
  type OrderId,
  PaymentAuthorized,
  PaymentCaptured,
  PaymentVoided,
  ProductListed,
  ShipmentDispatched,
  type Sku,
  StockReleased,
  StockReserved,
} from '@millrace/contracts';
import { LocalTransactions } from '@millrace/messaging';
import { TestTopics, until } from '@millrace/messaging/testing';
import type { RunningService } from '@millrace/service';
import { CheckoutDecider } from '../src/checkout/checkout.decider.ts';
import { accepted, messagesAbout } from '../src/checkout/domain/checkout.examples.ts';
import { parseHistory } from '../src/checkout/domain/history.ts';
import { type OrderDatabase, orderDatabase } from './order-database.ts';
import { startOrder } from './running-order.ts';

const topics = new TestTopics();
let order: OrderDatabase;
let service: RunningService;

beforeAll(async () => {
  [order] = await Promise.all([orderDatabase(), topics.create(['order.checkout', 'order.timeline', 'order.prices'])]);
  service = await startOrder(order, topics);
});

afterAll(async () => {
  await service.stop();
  await topics.close();
  await order.drop();
});

/** Places an order as the API does. */
async function place(): Promise<OrderId> {
  const placed = accepted(newId<OrderId>(), new Date());
  const decider = service.app.get(CheckoutDecider, { strict: false });
  await service.app.get(LocalTransactions, { strict: false }).run((local) => local.decide(decider, [placed]));
  return placed.key as OrderId;
}

function event<C extends AnyContract>(contract: C, body: BodyOf<C>, aggregateVersion = 1, id = newId()) {
  const source = contract.topic.name.split('.')[0] ?? '';
  const correlationId = contract.keyOf(body);
  return encode(contract(body, { aggregateVersion }), { id, source, time: new Date(), correlationId });
}

async function checkoutOf(orderId: OrderId) {
  const { rows } = await order.database.query<{ stage: string; history: string; version: number }>(
    'SELECT stage, history, version FROM checkouts WHERE order_id = $1',
    [orderId],
  );
  return rows[0];
}

const reached = (orderId: OrderId, stage: string) =>
  until(`the order is ${stage}`, async () => {
    const checkout = await checkoutOf(orderId);
    return checkout?.stage === stage && checkout;
  });

/** What the order service said about an order to one topic, in order. */
async function saidTo(topic: string, orderId: OrderId) {
  const records = await topics.read(topic);
  return records
    .filter(({ key }) => key === orderId)
    .map(({ headers }) => [headers['ce_type']?.replace(/^millrace\.|\.v1$/g, ''), headers['aggregate-version']]);
}

describe('the checkout, over a real broker', () => {
  it('takes an order to its end as the participants answer, and tells each step once', async () => {
    const orderId = await place();
    const {
      StockReserved: reserved,
      PaymentAuthorized: authorized,
      ShipmentDispatched: left,
      PaymentCaptured: captured,
    } = messagesAbout(orderId);
    const held = event(StockReserved, reserved.body);
    await topics.send([held, held]);
    await reached(orderId, 'AwaitingPayment');
    await topics.send([event(PaymentAuthorized, authorized.body)]);
    await reached(orderId, 'AwaitingDispatch');
    await topics.send([event(ShipmentDispatched, left.body)]);
    await reached(orderId, 'AwaitingCapture');
    await topics.send([event(PaymentCaptured, captured.body)]);
    const { history, version } = await reached(orderId, 'Completed');
    expect(version).toBe(4);
    expect(parseHistory(history).map(({ type, service: by }) => `${by}: ${type}`)).toEqual([
      'order: OrderAccepted',
      'inventory: StockReserved',
      'payment: PaymentAuthorized',
      'shipping: ShipmentDispatched',
      'payment: PaymentCaptured',
    ]);
    await until('the end was told', async () => (await saidTo('order.events.v1', orderId)).length >= 4);
    expect(await saidTo('order.events.v1', orderId)).toEqual([
      ['OrderPlaced', '1'],
      ['OrderConfirmed', '2'],
      ['OrderDispatched', '3'],
      ['OrderCompleted', '4'],
    ]);
    expect((await saidTo('payment.commands.v1', orderId)).map(([type]) => type)).toEqual([
      'AuthorizePayment',
      'CapturePayment',
    ]);
  });

  it('gives up after the deadline when nobody answers, and ends when the undo is acknowledged', async () => {
    const orderId = await place();
    await order.database.query('UPDATE checkouts SET deadline = now(), wake_at = now() WHERE order_id = $1', [orderId]);
    await reached(orderId, 'Cancelling');
    await until('the undo was sent', async () => (await saidTo('inventory.commands.v1', orderId)).length >= 2);
    expect((await saidTo('inventory.commands.v1', orderId)).map(([type]) => type)).toEqual([
      'ReserveStock',
      'ReleaseStock',
    ]);
    await topics.send([event(StockReleased, { orderId, reason: 'requested' })]);
    const { history } = await reached(orderId, 'Cancelled');
    expect(parseHistory(history).map(({ direction, type }) => `${direction} ${type}`)).toEqual([
      'local OrderAccepted',
      'local DeadlineExpired',
      'heard StockReleased',
    ]);
  });

  it('sets aside what cannot be, with the reason, and goes on with the next order', async () => {
    const stranger = newId<OrderId>();
    const orderId = await place();
    await topics.send([
      event(PaymentVoided, { orderId: stranger }),
      event(PaymentVoided, { orderId }),
      event(StockReserved, messagesAbout(orderId).StockReserved.body),
    ]);
    await reached(orderId, 'AwaitingPayment');
    const letters = await until('both are dead letters', async () => {
      const records = await topics.read('order.checkout.dlq');
      return records.length >= 2 && records;
    });
    const reasonOf = (key: string) =>
      Object.entries(letters.find((letter) => letter.key === key)?.headers ?? {}).find(([name]) =>
        name.includes('reason'),
      )?.[1];
    expect(reasonOf(stranger)).toBe('unknown-order');
    expect(reasonOf(orderId)).toBe('impossible-transition');
  });

  it('hears what the customer was told, and what the catalog offers', async () => {
    const orderId = newId<OrderId>();
    await topics.send([
      event(NotificationSent, { orderId, kind: 'order-confirmed', channel: 'email' }),
      event(ProductListed, { sku: 'NEW' as Sku, name: 'New', price: { amountMinor: 1, currency: 'EUR' } }),
    ]);
    await until('both are kept', async () => {
      const { rows } = await order.database.query(
        `SELECT 1 FROM order_notifications JOIN products ON sku = 'NEW' WHERE order_id = $1`,
        [orderId],
      );
      return rows.length === 1;
    });
  });
});

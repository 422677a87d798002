import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId, type OrderId } from '@millrace/contracts';
import type { Queryable } from '@millrace/database';
import { given } from '@millrace/messaging/testing';
import { decideStored } from '../../../test/decide-stored.ts';
import { type OrderDatabase, orderDatabase } from '../../../test/order-database.ts';
import { accepted, deadlines, messagesAbout, stockExpired } from '../domain/checkout.examples.ts';
import type { CheckoutMessage, OrderAccepted } from '../domain/checkout.ts';
import { checkoutDecision } from '../domain/decide-checkout.ts';
import { parseHistory } from '../domain/history.ts';
import { CheckoutStore } from './checkout.store.ts';

const now = new Date('2026-01-01T00:00:00.123Z');
const store = new CheckoutStore();
let order: OrderDatabase;

beforeAll(async () => {
  order = await orderDatabase();
});
afterAll(() => order.drop());

const inOneBatch = (messages: readonly (OrderAccepted | CheckoutMessage)[]) =>
  order.database.transaction((tx) => decideStored(tx, messages, now));

async function stateOf(message: CheckoutMessage) {
  return (await store.load(order.database, [message], { lock: false })).of(message);
}

async function historyOf(orderId: OrderId) {
  const { rows } = await order.database.query<{ history: string }>(
    'SELECT history FROM checkouts WHERE order_id = $1',
    [orderId],
  );
  return parseHistory(rows[0]?.history ?? '');
}

/** What this session did so far. */
async function updatesOfCheckouts(tx: Queryable): Promise<{ all: number; inPage: number }> {
  const { rows } = await tx.query<{ all: number; inPage: number }>(
    `SELECT n_tup_upd::int AS "all", n_tup_hot_upd::int AS "inPage" FROM pg_stat_xact_user_tables WHERE relname = 'checkouts'`,
  );
  return rows[0] ?? { all: 0, inPage: 0 };
}

type Type = CheckoutMessage['type'];
const lives: readonly (readonly Type[])[] = [
  [],
  ['StockRejected'],
  ['StockReserved', 'PaymentDeclined', 'StockReleased'],
  ['StockReserved', 'CancellationRequested', 'PaymentVoided'],
  ['StockReserved', 'PaymentAuthorized', 'ShipmentArranged', 'CancellationRequested', 'DeadlineExpired'],
  ['StockReserved', 'PaymentAuthorized', 'StockReleased', 'ShipmentCancelled'],
  [
    'StockReserved',
    'PaymentAuthorized',
    'DeadlineExpired',
    'ShipmentDispatched',
    'PaymentCaptured',
    'ShipmentDelivered',
  ],
];

describe('the checkout store', () => {
  it('knows nothing of an order that nobody placed', async () => {
    expect(await stateOf(messagesAbout(newId<OrderId>()).StockReserved)).toBeUndefined();
  });

  it.each(lives)('brings back what was decided: %s %s %s %s %s %s', async (...types: Type[]) => {
    const begun = accepted();
    const orderId = begun.key as OrderId;
    const life = [begun, ...types.map((type) => messagesAbout(orderId)[type])];
    for (const message of life) await inOneBatch([message]);
    const { state } = given(checkoutDecision(deadlines), undefined)
      .at(now)
      .when(...life);
    expect(await stateOf(messagesAbout(orderId).StockReserved)).toEqual({ ...state, newHistory: [] });
    expect(await historyOf(orderId)).toEqual(state?.newHistory);
  });

  it('gives the same end when the whole life comes in one batch', async () => {
    const begun = accepted();
    const { StockReserved, PaymentAuthorized, ShipmentDispatched, PaymentCaptured } = messagesAbout(
      begun.key as OrderId,
    );
    await inOneBatch([begun, StockReserved, PaymentAuthorized]);
    await inOneBatch([ShipmentDispatched, PaymentCaptured]);
    expect(await stateOf(StockReserved)).toMatchObject({ stage: 'Completed', order: { version: 4 }, endedAt: now });
    expect((await historyOf(begun.key as OrderId)).map(({ type }) => type)).toEqual([
      'OrderAccepted',
      'StockReserved',
      'PaymentAuthorized',
      'ShipmentDispatched',
      'PaymentCaptured',
    ]);
  });

  it('remembers trace and conversation of the order', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const begun = { ...accepted(), traceparent };
    await inOneBatch([begun]);
    const { StockReserved } = messagesAbout(begun.key as OrderId);
    expect(await stateOf(StockReserved)).toMatchObject({ traceparent, correlationId: begun.correlationId });
  });

  it('needs one query to load a batch and three statements to save it, however many orders it holds', async () => {
    const old = Array.from({ length: 200 }, () => accepted());
    await inOneBatch(old);
    const heard = old.map(({ key }) => messagesAbout(key as OrderId).StockReserved);
    const young = Array.from({ length: 200 }, () => accepted());
    const statements: unknown[] = [];
    await order.database.transaction((tx) => {
      const query: Queryable['query'] = (text, values) => {
        statements.push(text);
        return tx.query(text, values);
      };
      return decideStored(Object.assign(Object.create(tx) as typeof tx, { query }), [...heard, ...young], now);
    });
    expect(statements).toHaveLength(4);
    const { rows } = await order.database.query<{ stage: string; orders: number }>(
      `SELECT stage, count(*)::int AS orders FROM checkouts WHERE order_id = ANY($1::uuid[]) GROUP BY stage ORDER BY stage`,
      [[...old, ...young].map(({ key }) => key)],
    );
    expect(rows).toEqual([
      { stage: 'AwaitingPayment', orders: 200 },
      { stage: 'AwaitingStock', orders: 200 },
    ]);
  });

  it('touches no index while an order is under way, so the row stays in its page', async () => {
    await order.database.query('TRUNCATE orders, checkouts');
    const begun = accepted();
    const about = messagesAbout(begun.key as OrderId);
    await inOneBatch([begun]);
    const updates = await order.database.transaction(async (tx) => {
      const before = await updatesOfCheckouts(tx);
      for (const message of [about.StockReserved, about.PaymentAuthorized, about.ShipmentDispatched]) {
        await decideStored(tx, [message], new Date(now.getTime() + 10));
      }
      const after = await updatesOfCheckouts(tx);
      return { all: after.all - before.all, inPage: after.inPage - before.inPage };
    });
    expect(updates).toEqual({ all: 3, inPage: 3 });
  });

  it('lets batches over the same orders take turns, in whatever order they name them', async () => {
    const begun = Array.from({ length: 50 }, () => accepted());
    await inOneBatch(begun);
    const heard = begun.map(({ key }) => messagesAbout(key as OrderId).CancellationRequested);
    await Promise.all(
      Array.from({ length: 12 }, (_, index) => inOneBatch(index % 2 === 0 ? heard : heard.toReversed())),
    );
    for (const { key } of begun.slice(0, 3)) expect(await historyOf(key as OrderId)).toHaveLength(1 + 12);
  });

  it('is stopped by the database when an order would end with something in the air', async () => {
    const begun = accepted();
    const orderId = begun.key as OrderId;
    await inOneBatch([begun, messagesAbout(orderId).StockReserved, stockExpired(orderId)]);
    await expect(
      order.database.query(
        `UPDATE checkouts SET status = 'cancelled', ended_at = now(), deadline = NULL WHERE order_id = $1`,
        [orderId],
      ),
    ).rejects.toThrow(/checkouts_cancelled_leaves_nothing_in_the_air/);
    await expect(
      order.database.query('UPDATE checkouts SET deadline = NULL WHERE order_id = $1', [orderId]),
    ).rejects.toThrow(/checkouts_ended_or_waiting_with_a_deadline/);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { OrderId } from '@millrace/contracts';
import { decideStored } from '../../../test/decide-stored.ts';
import { type OrderDatabase, orderDatabase } from '../../../test/order-database.ts';
import { accepted, deadlines, messagesAbout } from '../domain/checkout.examples.ts';
import type { OrderAccepted } from '../domain/checkout.ts';
import { expiredDeadlines } from './deadlines.ts';

const start = new Date('2026-01-01T00:00:00.000Z');
const after = (ms: number) => new Date(start.getTime() + ms);
const dueAt = after(deadlines.stockMs);
let order: OrderDatabase;

beforeAll(async () => {
  order = await orderDatabase();
});
afterAll(() => order.drop());
beforeEach(() => order.database.query('TRUNCATE orders, checkouts'));

async function placed(count: number): Promise<OrderAccepted[]> {
  const orders = Array.from({ length: count }, () => accepted());
  await order.database.transaction((tx) => decideStored(tx, orders, start));
  return orders;
}

const expired = (now: Date, limit = 100) => order.database.transaction((tx) => expiredDeadlines(tx, now, limit));

async function wakeTimes(): Promise<(Date | null)[]> {
  const { rows } = await order.database.query<{ wake_at: Date | null }>(
    'SELECT wake_at FROM checkouts ORDER BY order_id',
  );
  return rows.map(({ wake_at }) => wake_at);
}

describe('deadlines', () => {
  it('are told once they have passed, in the conversation of their order', async () => {
    const [begun] = await placed(1);
    expect(await expired(after(deadlines.stockMs - 1))).toEqual([]);
    expect(await expired(dueAt)).toEqual([
      expect.objectContaining({
        type: 'DeadlineExpired',
        key: begun?.key,
        source: 'order',
        time: dueAt,
        correlationId: begun?.correlationId,
      }),
    ]);
  });

  it('are not told of an order that moved on: it is woken, and goes back to sleep until its new deadline', async () => {
    const [begun] = await placed(1);
    const { StockReserved } = messagesAbout(begun?.key as OrderId);
    await order.database.transaction((tx) => decideStored(tx, [StockReserved], after(900)));
    expect(await wakeTimes()).toEqual([dueAt]);
    expect(await expired(dueAt)).toEqual([]);
    expect(await wakeTimes()).toEqual([after(900 + deadlines.paymentMs)]);
    expect(await expired(after(900 + deadlines.paymentMs))).toHaveLength(1);
  });

  it('come nearer when the next stage may last less', async () => {
    const [begun] = await placed(1);
    const { StockReserved, PaymentAuthorized, CancellationRequested } = messagesAbout(begun?.key as OrderId);
    await order.database.query('UPDATE checkouts SET wake_at = $1', [after(86_400_000)]);
    await order.database.transaction((tx) =>
      decideStored(tx, [StockReserved, PaymentAuthorized, CancellationRequested], after(5)),
    );
    expect(await wakeTimes()).toEqual([after(5 + deadlines.recallMs)]);
  });

  it('are found behind any number of orders that moved on', async () => {
    const moved = await placed(7);
    await order.database.transaction((tx) =>
      decideStored(
        tx,
        moved.map(({ key }) => messagesAbout(key as OrderId).StockReserved),
        after(10),
      ),
    );
    const [late] = await placed(1);
    await order.database.query("UPDATE checkouts SET wake_at = wake_at + interval '1 ms' WHERE order_id = $1", [
      late?.key,
    ]);
    expect((await expired(after(deadlines.stockMs + 1), 2)).map(({ key }) => key)).toEqual([late?.key]);
  });

  it('are shared by replicas: what one holds, the other leaves', async () => {
    await placed(10);
    const [first, second] = await order.database.transaction(async (tx) => {
      const mine = await expiredDeadlines(tx, dueAt, 6);
      return [mine, await expired(dueAt, 6)];
    });
    expect(first).toHaveLength(6);
    expect(second).toHaveLength(4);
    expect(new Set([...(first ?? []), ...(second ?? [])].map(({ key }) => key)).size).toBe(10);
  });

  it('stay due until they are decided', async () => {
    await placed(1);
    expect(await expired(dueAt)).toHaveLength(1);
    expect(await expired(dueAt)).toHaveLength(1);
  });

  it('lead to a new deadline in the same transaction', async () => {
    await placed(1);
    await order.database.transaction(async (tx) => decideStored(tx, await expiredDeadlines(tx, dueAt, 10), dueAt));
    const newDeadline = after(deadlines.stockMs + deadlines.undoMs);
    expect(await expired(new Date(newDeadline.getTime() - 1))).toEqual([]);
    expect(await wakeTimes()).toEqual([newDeadline]);
    expect(await expired(newDeadline)).toHaveLength(1);
  });

  it('end with the order', async () => {
    const [begun] = await placed(1);
    await order.database.transaction((tx) =>
      decideStored(tx, [messagesAbout(begun?.key as OrderId).StockRejected], after(1)),
    );
    expect(await wakeTimes()).toEqual([null]);
    expect(await expired(after(86_400_000))).toEqual([]);
  });
});

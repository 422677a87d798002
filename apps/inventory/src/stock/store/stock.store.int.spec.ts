import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  CommitStock,
  newId,
  type OrderId,
  type Quantities,
  ReleaseStock,
  ReserveStock,
  type Sku,
} from '@millrace/contracts';
import { type Database, isTransactionConflict, type Transaction } from '@millrace/database';
import { heard, until } from '@millrace/messaging/testing';
import { type InventoryDatabase, inventoryDatabase, shelve } from '../../../test/inventory-database.ts';
import { type StockMessage, stockRules } from '../domain/decide-stock.ts';
import { expiredHolds } from './expired-holds.ts';
import { StockStore } from './stock.store.ts';

const HOLD_MS = 60_000;
const NOW = new Date('2026-01-01T00:00:00.000Z');
const LATER = new Date('2026-01-01T00:02:00.000Z');
const store = new StockStore();
const decide = stockRules({ holdMs: HOLD_MS });

const line = (sku: string, quantity: number) => ({ sku: sku as Sku, quantity });
const reserve = (orderId: OrderId, ...lines: Quantities) => heard(ReserveStock, { orderId, lines });
const release = (orderId: OrderId) => heard(ReleaseStock, { orderId });
const commit = (orderId: OrderId) => heard(CommitStock, { orderId });

/** Decides a batch as the runtime does, and answers what was said. */
async function settle(tx: Transaction, messages: readonly StockMessage[], now = NOW): Promise<readonly string[]> {
  const states = await store.load(tx, messages, { lock: true });
  const said = messages.flatMap((message) => {
    const decision = decide(states.of(message), message, { now, newId });
    states.change(message, decision.state);
    return decision.messages.map(({ contract }) => contract.type);
  });
  await states.save(tx);
  return said;
}

describe('the stock store', () => {
  let inventory: InventoryDatabase;
  let database: Database;
  beforeAll(async () => {
    inventory = await inventoryDatabase();
    database = inventory.database;
  });
  afterAll(() => inventory.drop());
  beforeEach(async () => {
    await database.query('TRUNCATE product, stock, reservation');
    await shelve(database, { MUG: 10, TEA: 10, 'LAST-ONE': 1, 'SOLD-OUT': 0 });
  });

  const inTransaction = (...messages: readonly StockMessage[]) => database.transaction((tx) => settle(tx, messages));
  const stockOf = async (sku: string): Promise<readonly number[]> => {
    const { rows } = await database.query('SELECT on_hand, reserved FROM stock WHERE sku = $1', [sku]);
    return [rows[0]?.['on_hand'], rows[0]?.['reserved']];
  };
  const statusOf = async (orderId: OrderId): Promise<unknown> => {
    const { rows } = await database.query('SELECT status FROM reservation WHERE order_id = $1', [orderId]);
    return rows[0]?.['status'];
  };

  it('remembers what a batch decided, message by message in its order', async () => {
    const [first, second, third] = [newId<OrderId>(), newId<OrderId>(), newId<OrderId>()];
    const said = await inTransaction(
      reserve(first, line('MUG', 2), line('LAST-ONE', 1)),
      reserve(second, line('LAST-ONE', 1)),
      reserve(third, line('TEA', 4)),
      release(first),
      commit(third),
    );
    expect(said).toEqual(['StockReserved', 'StockRejected', 'StockReserved', 'StockReleased', 'StockCommitted']);
    expect(await Promise.all([first, second, third].map(statusOf))).toEqual(['released', 'rejected', 'committed']);
    expect(await Promise.all(['MUG', 'TEA', 'LAST-ONE'].map(stockOf))).toEqual([
      [10, 0],
      [6, 0],
      [1, 0],
    ]);
  });

  it('answers the same again from what it remembers', async () => {
    const [held, rejected, tombstone] = [newId<OrderId>(), newId<OrderId>(), newId<OrderId>()];
    const commands = [
      reserve(held, line('MUG', 2), line('MUG', 1)),
      reserve(rejected, line('TEA', 11), line('UNKNOWN', 1)),
      release(tombstone),
    ];
    const load = () =>
      database.transaction(async (tx) => {
        const states = await store.load(tx, commands, { lock: true });
        return commands.map((command) => decide(states.of(command), command, { now: NOW, newId }).messages);
      });
    const first = await load();
    await inTransaction(...commands);
    expect(await load()).toEqual(first);
    expect(await inTransaction(reserve(tombstone, line('MUG', 1)))).toEqual(['StockRejected']);
    expect(await stockOf('MUG')).toEqual([10, 3]);
  });

  it('reads without a lock while another transaction holds it', async () => {
    await database.transaction(async (tx) => {
      const orderId = newId<OrderId>();
      await settle(tx, [reserve(orderId, line('MUG', 2))]);
      const states = await store.load(database, [reserve(orderId, line('MUG', 2))], { lock: false });
      expect(states.of(reserve(orderId, line('MUG', 2)))).toMatchObject({ reservation: undefined });
    });
  });

  it('gives the last unit to one of many orders that want it at once', async () => {
    const orders = Array.from({ length: 24 }, () => newId<OrderId>());
    const said = await Promise.all(orders.map((orderId) => inTransaction(reserve(orderId, line('LAST-ONE', 1)))));
    expect(said.flat().filter((type) => type === 'StockReserved')).toHaveLength(1);
    expect(await stockOf('LAST-ONE')).toEqual([1, 1]);
  });

  it('locks products in the order of their skus, so that two batches never wait in a circle', async () => {
    // Beside each other on disk in another order than their keys.
    await database.query('TRUNCATE product, stock');
    await shelve(database, { C: 1, B: 1, A: 1 });
    const batch = [reserve(newId<OrderId>(), line('C', 1), line('B', 1), line('A', 1))];
    await expectWaitsAt('stock', 'sku', batch, ['A', 'B', 'C']);
  });

  it('locks reservations in the order of their ids, so that two batches never wait in a circle', async () => {
    const orders = [newId<OrderId>(), newId<OrderId>(), newId<OrderId>()];
    for (const orderId of orders.toReversed()) await inTransaction(reserve(orderId, line('MUG', 1)));
    await expectWaitsAt('reservation', 'order_id', orders.toReversed().map(release), orders);
  });

  /** A batch that waits for the second of three keys holds the first and has not touched the third. */
  async function expectWaitsAt(
    table: string,
    column: string,
    batch: readonly StockMessage[],
    [first, second, third]: readonly string[],
  ): Promise<void> {
    const lock = (db: Database | Transaction, key: string | undefined, how = '') =>
      db.query(`SELECT FROM ${table} WHERE ${column} = $1 FOR UPDATE ${how}`, [key]);
    let waiting: Promise<unknown> = Promise.resolve();
    await database.transaction(async (tx) => {
      await lock(tx, second);
      waiting = inTransaction(...batch);
      await until('the batch waits', async () => {
        const { rows } = await database.query(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        return rows.length > 0;
      });
      await expect(lock(database, first, 'NOWAIT')).rejects.toMatchObject({ code: '55P03' });
      await expect(lock(database, third, 'NOWAIT')).resolves.toMatchObject({ rowCount: 1 });
    });
    await waiting;
  }

  it('never saves over a reservation that another transaction made meanwhile', async () => {
    const orderId = newId<OrderId>();
    const seen = Promise.withResolvers<void>();
    const made = Promise.withResolvers<void>();
    const slow = database.transaction(async (tx) => {
      const states = await store.load(tx, [release(orderId)], { lock: true });
      seen.resolve();
      await made.promise;
      const message = release(orderId);
      states.change(message, decide(states.of(message), message, { now: NOW, newId }).state);
      await states.save(tx);
    });
    const lost = slow.catch((error: unknown) => error);
    await seen.promise;
    await inTransaction(reserve(orderId, line('MUG', 2)));
    made.resolve();
    expect(isTransactionConflict(await lost)).toBe(true);
    expect(await statusOf(orderId)).toBe('held');
    expect(await stockOf('MUG')).toEqual([10, 2]);
    expect(await inTransaction(release(orderId))).toEqual(['StockReleased']);
    expect(await stockOf('MUG')).toEqual([10, 0]);
  });

  it('uses a fixed number of statements however large the batch is', async () => {
    const count = async (size: number): Promise<number> => {
      const messages = Array.from({ length: size }, () => reserve(newId<OrderId>(), line('MUG', 1), line('TEA', 1)));
      return database.transaction(async (tx) => {
        let statements = 0;
        const counting = {
          ...tx,
          query: (...args: Parameters<Transaction['query']>) => (statements++, tx.query(...args)),
        };
        await settle(counting as unknown as Transaction, messages);
        return statements;
      });
    };
    expect([await count(1), await count(200)]).toEqual([4, 4]);
  });

  describe('holds that ran out', () => {
    it('are found with the conversation and trace of their order, the longest overdue first', async () => {
      const [early, late, future] = [newId<OrderId>(), newId<OrderId>(), newId<OrderId>()];
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const reservation = { ...reserve(early, line('MUG', 1)), traceparent };
      await database.transaction((tx) => settle(tx, [reservation], NOW));
      await database.transaction((tx) => settle(tx, [reserve(late, line('MUG', 1))], new Date(NOW.getTime() + 1000)));
      await database.transaction((tx) => settle(tx, [reserve(future, line('MUG', 1))], LATER));
      const found = await database.transaction((tx) => expiredHolds(tx, LATER, 10));
      expect(found.map(({ body }) => body.orderId)).toEqual([early, late]);
      expect(found[0]).toMatchObject({ key: early, correlationId: reservation.correlationId, traceparent });
    });

    it('are given back once, also when two replicas look at the same time', async () => {
      const orders = Array.from({ length: 10 }, () => newId<OrderId>());
      await inTransaction(...orders.map((orderId) => reserve(orderId, line('MUG', 1))));
      const look = () => database.transaction(async (tx) => settle(tx, await expiredHolds(tx, LATER, 4), LATER));
      const said = await Promise.all([look(), look(), look()]);
      expect(said.flat()).toEqual(Array.from({ length: 10 }, () => 'StockReleased'));
      expect(await stockOf('MUG')).toEqual([10, 0]);
      expect(await look()).toEqual([]);
    });
  });

  describe('the table of stock', () => {
    it.each([
      ['less than nothing on the shelf', 'UPDATE stock SET on_hand = -1'],
      ['less than nothing held', 'UPDATE stock SET reserved = -1'],
      ['more held than there is', 'UPDATE stock SET reserved = on_hand + 1'],
    ])('refuses %s, even if the code is wrong', async (_, sql) => {
      await expect(database.query(sql)).rejects.toMatchObject({ code: '23514' });
    });
  });
});

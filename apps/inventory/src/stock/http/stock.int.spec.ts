import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, type OrderId } from '@millrace/contracts';
import type { Database } from '@millrace/database';
import { type InventoryApi, inventoryApi } from '../../../test/inventory-api.ts';
import { type InventoryDatabase, inventoryDatabase, shelve } from '../../../test/inventory-database.ts';

describe('the stock API', () => {
  let inventory: InventoryDatabase;
  let database: Database;
  let api: InventoryApi;
  beforeAll(async () => {
    inventory = await inventoryDatabase();
    database = inventory.database;
    api = await inventoryApi(inventory.url);
  });
  afterAll(async () => {
    await api.close();
    await inventory.drop();
  });
  beforeEach(async () => {
    await database.query('TRUNCATE product, stock, restock, reservation');
    await shelve(database, { MUG: 10, TEA: 0 });
  });

  const restock = (sku: string, add: number, key?: string) =>
    api.request('POST', `/products/${sku}/stock`, { add }, key === undefined ? {} : { 'idempotency-key': key });

  it('tells what is on the shelf, held and free', async () => {
    await database.query("UPDATE stock SET reserved = 4 WHERE sku = 'MUG'");
    expect(await api.request('GET', '/stock/MUG')).toMatchObject({
      status: 200,
      body: { sku: 'MUG', onHand: 10, reserved: 4, available: 6 },
    });
    expect(await api.request('GET', '/stock/NO-SUCH')).toMatchObject({ status: 404 });
    expect(await api.request('GET', '/stock/no-such')).toMatchObject({ status: 400 });
  });

  it('adds what arrived', async () => {
    expect(await restock('TEA', 25)).toMatchObject({ status: 200, body: { onHand: 25, available: 25 } });
    expect(await restock('TEA', 5)).toMatchObject({ status: 200, body: { onHand: 30 } });
  });

  it('adds once what is told twice under one key, also at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => restock('MUG', 7, 'delivery-4711')));
    for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: { onHand: 17 } });
    expect(await restock('MUG', 7, 'delivery-4712')).toMatchObject({ body: { onHand: 24 } });
  });

  it('refuses other goods under the same key', async () => {
    await restock('MUG', 7, 'delivery-4711');
    for (const answer of [await restock('MUG', 8, 'delivery-4711'), await restock('TEA', 7, 'delivery-4711')]) {
      expect(answer).toMatchObject({ status: 422, body: { type: expect.stringMatching(/idempotency-key-reused$/) } });
    }
    expect((await api.request('GET', '/stock/TEA')).body).toMatchObject({ onHand: 0 });
  });

  it('remembers no key of a restock that it refused', async () => {
    expect(await restock('LATE', 7, 'delivery-4711')).toMatchObject({ status: 404 });
    await shelve(database, { LATE: 0 });
    expect(await restock('LATE', 7, 'delivery-4711')).toMatchObject({ status: 200, body: { onHand: 7 } });
  });

  it.each([
    [{ add: 0 }, {}, 'add'],
    [{ add: 1.5 }, {}, 'add'],
    [{ add: 1 }, { 'idempotency-key': 'two words' }, 'Idempotency-Key'],
  ])('refuses %j with headers %j', async (body, headers, path) => {
    expect(await api.request('POST', '/products/MUG/stock', body, headers)).toMatchObject({
      status: 400,
      body: { errors: [{ path }] },
    });
  });

  it('refuses more than can be counted', async () => {
    expect(await restock('MUG', 1_000_000_000)).toMatchObject({ status: 422 });
    expect(await restock('MUG', 999_999_990)).toMatchObject({ status: 200, body: { onHand: 1_000_000_000 } });
  });

  it('tells what became of an order', async () => {
    const [held, rejected] = [newId<OrderId>(), newId<OrderId>()];
    await database.query(
      `INSERT INTO reservation (order_id, status, lines, missing, held_until, correlation_id) VALUES
       ($1, 'held', '[{"sku":"MUG","quantity":2}]', '[]', '2026-01-01T00:00:00Z', 'c'),
       ($2, 'rejected', '[{"sku":"TEA","quantity":1}]', '[{"sku":"TEA","requested":1,"available":0}]', NULL, 'c')`,
      [held, rejected],
    );
    expect((await api.request('GET', `/reservations/${held}`)).body).toEqual({
      orderId: held,
      status: 'held',
      lines: [{ sku: 'MUG', quantity: 2 }],
      heldUntil: '2026-01-01T00:00:00.000Z',
    });
    expect((await api.request('GET', `/reservations/${rejected}`)).body).toEqual({
      orderId: rejected,
      status: 'rejected',
      lines: [{ sku: 'TEA', quantity: 1 }],
      missing: [{ sku: 'TEA', requested: 1, available: 0 }],
    });
    expect(await api.request('GET', `/reservations/${newId()}`)).toMatchObject({ status: 404 });
    expect(await api.request('GET', '/reservations/4711')).toMatchObject({ status: 400 });
  });
});

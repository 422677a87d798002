import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type AnyContract,
  type BodyOf,
  CommitStock,
  encode,
  newId,
  type OrderId,
  type Quantities,
  ReleaseStock,
  ReserveStock,
  type Sku,
} from '@millrace/contracts';
import { deadLetterHeaders } from '@millrace/messaging';
import { type ReadRecord, TestTopics, until } from '@millrace/messaging/testing';
import type { RunningService } from '@millrace/service';
import { type InventoryDatabase, inventoryDatabase, shelve } from './inventory-database.ts';
import { startInventory } from './running-inventory.ts';

const HOLD_MS = 1_500;

const line = (sku: string, quantity: number) => ({ sku: sku as Sku, quantity });

describe('the inventory service', () => {
  const topics = new TestTopics();
  let inventory: InventoryDatabase;
  let service: RunningService;

  const start = (holdMs: number): Promise<RunningService> =>
    startInventory(inventory, topics, { STOCK_HOLD_MS: String(holdMs) });

  beforeAll(async () => {
    [inventory] = await Promise.all([inventoryDatabase(), topics.create(['inventory.stock'])]);
    await shelve(inventory.database, { MUG: 100, TEA: 100, 'LAST-FIVE': 5, 'SOLD-OUT': 0, SHORT: 3 });
    service = await start(60_000);
  });
  afterAll(async () => {
    await service.stop();
    await topics.close();
    await inventory.drop();
  });

  const tell = <C extends AnyContract>(contract: C, ...bodies: readonly BodyOf<C>[]): Promise<void> =>
    topics.send(
      bodies.map((body) => {
        const id = newId();
        const { headers, ...record } = encode(contract(body), {
          id,
          source: 'order',
          time: new Date(),
          correlationId: id,
        });
        return { ...record, headers: { ...headers } };
      }),
    );
  const reserve = (orderId: OrderId, ...lines: Quantities) => tell(ReserveStock, { orderId, lines });
  const typeOf = ({ headers }: ReadRecord): string => String(headers['ce_type']).split('.')[1] ?? '';
  const saidOf = async (orderId: OrderId): Promise<readonly string[]> =>
    (await topics.read('inventory.events.v1')).filter(({ key }) => key === orderId).map(typeOf);
  const heardUntil = (orderId: OrderId, ...types: readonly string[]) =>
    until(`order ${orderId} has ${types.join(', ')}`, async () => {
      const said = await saidOf(orderId);
      return types.every((type) => said.includes(type)) ? said : undefined;
    });
  const get = async (path: string): Promise<unknown> => (await fetch(service.url + path)).json();

  it('holds, commits and tells', async () => {
    const orderId = newId<OrderId>();
    await reserve(orderId, line('MUG', 2), line('TEA', 3));
    await heardUntil(orderId, 'StockReserved');
    expect(await get(`/reservations/${orderId}`)).toMatchObject({ status: 'held' });
    await tell(CommitStock, { orderId });
    await heardUntil(orderId, 'StockCommitted');
    expect(await get('/stock/MUG')).toMatchObject({ onHand: 98, reserved: 0 });
  });

  it('rejects what it does not have, and gives back what it holds', async () => {
    const [soldOut, cancelled] = [newId<OrderId>(), newId<OrderId>()];
    await reserve(soldOut, line('TEA', 1), line('SOLD-OUT', 1));
    await reserve(cancelled, line('TEA', 4));
    await tell(ReleaseStock, { orderId: cancelled });
    expect(await heardUntil(soldOut, 'StockRejected')).toEqual(['StockRejected']);
    expect(await heardUntil(cancelled, 'StockReleased')).toEqual(['StockReserved', 'StockReleased']);
  });

  it('gives the last five to exactly five of fifty orders', async () => {
    const orders = Array.from({ length: 50 }, () => newId<OrderId>());
    await tell(ReserveStock, ...orders.map((orderId) => ({ orderId, lines: [line('LAST-FIVE', 1)] })));
    const answers = await until('all fifty are answered', async () => {
      const said = (await topics.read('inventory.events.v1')).filter(({ key }) => orders.includes(key as OrderId));
      return said.length >= orders.length && said;
    });
    expect(answers.map(typeOf).filter((type) => type === 'StockReserved')).toHaveLength(5);
    expect(answers).toHaveLength(50);
    expect(await get('/stock/LAST-FIVE')).toMatchObject({ onHand: 5, reserved: 5, available: 0 });
  });

  it('tells a new product and a new price to whoever listens', async () => {
    const post = (path: string, method: string, body: object) =>
      fetch(service.url + path, {
        method,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const price = { amountMinor: 1000, currency: 'EUR' };
    await post('/products', 'POST', { sku: 'NEW', name: 'Brand new', price, stock: 1 });
    await post('/products/NEW/price', 'PUT', { ...price, amountMinor: 900 });
    const said = await until('both are told', async () => {
      const records = (await topics.read('catalog.events.v1')).filter(({ key }) => key === 'NEW');
      return records.length === 2 && records;
    });
    expect(said.map((record) => [typeOf(record), record.headers['aggregate-version']])).toEqual([
      ['ProductListed', '1'],
      ['PriceChanged', '2'],
    ]);
  });

  it('sends a commit without a hold to the dead letters and goes on', async () => {
    const [unknown, next] = [newId<OrderId>(), newId<OrderId>()];
    await tell(CommitStock, { orderId: unknown });
    await reserve(next, line('TEA', 1));
    await heardUntil(next, 'StockReserved');
    const [letter] = await until('the dead letter is there', async () => {
      const letters = await topics.read('inventory.stock.dlq');
      return letters.length > 0 && letters;
    });
    expect(letter).toMatchObject({ key: unknown, headers: { [deadLetterHeaders.reason]: 'commit-without-hold' } });
  });

  it('gives a hold back when it runs out, and takes it again when the parcel has left anyway', async () => {
    await service.stop();
    service = await start(HOLD_MS);
    const orderId = newId<OrderId>();
    await reserve(orderId, line('SHORT', 3));
    expect(await heardUntil(orderId, 'StockReserved', 'StockReleased')).toEqual(['StockReserved', 'StockReleased']);
    expect(await get('/stock/SHORT')).toMatchObject({ onHand: 3, reserved: 0 });
    await tell(CommitStock, { orderId });
    await heardUntil(orderId, 'StockCommitted');
    expect(await get('/stock/SHORT')).toMatchObject({ onHand: 0, reserved: 0 });
  });
});

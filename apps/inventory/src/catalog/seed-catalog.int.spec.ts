import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '@millrace/database';
import { type InventoryDatabase, inventoryDatabase } from '../../test/inventory-database.ts';
import { appModule } from '../app.module.ts';
import { readConfig } from '../config.ts';
import { type Seeded, seedCatalog } from './seed-catalog.ts';

const product = (sku: string, stock: number) => ({
  sku,
  name: sku,
  price: { amountMinor: 100, currency: 'EUR' },
  stock,
});

describe('the seed', () => {
  let inventory: InventoryDatabase;
  let database: Database;
  let folder: string;
  beforeAll(async () => {
    inventory = await inventoryDatabase();
    database = inventory.database;
    folder = await mkdtemp(join(tmpdir(), 'millrace-seed-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await inventory.drop();
  });
  beforeEach(() => database.query('TRUNCATE product, stock, restock, messaging.outbox'));

  const seed = async (products: readonly object[]): Promise<Seeded> => {
    const file = join(folder, 'catalog.json');
    await writeFile(file, JSON.stringify(products));
    const config = readConfig({ DATABASE_URL: inventory.url, KAFKA_BROKERS: '127.0.0.1:9', LOG_LEVEL: 'silent' });
    return seedCatalog(file, appModule(config));
  };
  const rows = async (sql: string): Promise<readonly unknown[]> => (await database.query(sql)).rows;

  it('lists products with their stock, and stores what is said about them, without Kafka', async () => {
    expect(await seed([product('MUG', 5), product('TEA', 0)])).toEqual({ listed: 2, knownBefore: 0 });
    expect(await rows('SELECT sku, on_hand, reserved FROM stock ORDER BY sku')).toEqual([
      { sku: 'MUG', on_hand: 5, reserved: 0 },
      { sku: 'TEA', on_hand: 0, reserved: 0 },
    ]);
    expect(await rows('SELECT sku, added FROM restock')).toEqual([{ sku: 'MUG', added: 5 }]);
    expect(await rows('SELECT topic, key FROM messaging.outbox ORDER BY seq')).toEqual([
      { topic: 'catalog.events.v1', key: 'MUG' },
      { topic: 'catalog.events.v1', key: 'TEA' },
    ]);
  });

  it('changes nothing the second time, whatever happened to price and stock since', async () => {
    await seed([product('MUG', 5)]);
    await database.query('UPDATE product SET price_minor = 90; UPDATE stock SET on_hand = 2');
    expect(await seed([product('MUG', 5), product('TEA', 1)])).toEqual({ listed: 1, knownBefore: 1 });
    expect(await rows("SELECT price_minor, on_hand FROM product JOIN stock USING (sku) WHERE sku = 'MUG'")).toEqual([
      { price_minor: '90', on_hand: 2 },
    ]);
    expect(await rows('SELECT key FROM messaging.outbox ORDER BY seq')).toEqual([{ key: 'MUG' }, { key: 'TEA' }]);
  });

  it('lists nothing of a file in which one product is wrong', async () => {
    await expect(seed([product('MUG', 5), product('TEA', -1)])).rejects.toThrow(/^TEA: stock: /);
    expect(await rows('SELECT FROM product')).toEqual([]);
  });
});

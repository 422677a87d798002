import { fileURLToPath } from 'node:url';
import { Database } from '@millrace/database';
import { driftOf, migrateDeploy } from '@millrace/database/migrate';
import { createTestDatabase, type TestDatabase } from '@millrace/database/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { shopEvent } from '../../../test/shop-events.arbitrary.ts';
import { fold } from '../domain/fold.ts';
import type { ShopEvent } from '../domain/shop-events.ts';
import { FiguresStore } from './figures.store.ts';

const prisma = (path: string) => fileURLToPath(new URL(`../../../prisma/${path}`, import.meta.url));
const TABLES = ['order_minute', 'product_sale', 'stock_out', 'latency_bucket', 'tally'];
const store = new FiguresStore();
let scratch: TestDatabase;
let database: Database;

beforeAll(async () => {
  scratch = await createTestDatabase();
  await migrateDeploy({
    url: scratch.url,
    schemaPath: prisma('schema.prisma'),
    migrationDirectories: [prisma('migrations')],
  });
  database = new Database({ url: scratch.url, applicationName: 'figures-test' });
});

afterAll(async () => {
  await database.close();
  await scratch.drop();
});

beforeEach(() => empty());

describe('the stored figures', () => {
  it('are in tables as the Prisma schema describes them', async () => {
    expect(await driftOf(scratch.url, prisma('schema.prisma'))).toBe('');
  });

  it('are the same whatever the batches were and in whichever order they came', async () => {
    const events = fc.array(shopEvent, { minLength: 1, maxLength: 60 });
    const cuts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(events, cuts, fc.boolean(), async (all, sizes, isReversed) => {
        await empty();
        await project([all]);
        const atOnce = await figures();
        await empty();
        const batches = inBatches(all, sizes);
        await project(isReversed ? batches.toReversed() : batches);
        expect(await figures()).toEqual(atOnce);
      }),
      { numRuns: 30 },
    );
  });

  it('are the same when they are emptied and every event is projected again', async () => {
    const all = fc.sample(shopEvent, { numRuns: 500, seed: 42 });
    await project(inBatches(all, [7, 100, 1]));
    const before = await figures();
    await empty();
    await project(inBatches(all, [250]));
    expect(await figures()).toEqual(before);
    expect(before['tally']).not.toEqual([]);
  });

  it('add up when several replicas add to the same rows at once', async () => {
    const all = fc.sample(shopEvent, { numRuns: 2_000, seed: 7 });
    const batches = inBatches(all, [20]);
    await Promise.all(batches.map((batch) => project([batch])));
    const together = await figures();
    await empty();
    await project([all]);
    expect(together).toEqual(await figures());
  });

  it('take one statement per table, however large the batch', async () => {
    const statements: string[] = [];
    await database.transaction((tx) =>
      store.add(
        {
          ...tx,
          query: (query, values) => {
            statements.push(typeof query === 'string' ? query : (query.name ?? ''));
            return tx.query(query, values);
          },
        },
        fold(fc.sample(shopEvent, { numRuns: 1_000, seed: 1 })),
      ),
    );
    expect(statements).toHaveLength(TABLES.length);
  });

  it('stay as they were when there is nothing to add', async () => {
    await project([[]]);
    expect(Object.values(await figures()).flat()).toEqual([]);
  });
});

function inBatches(events: readonly ShopEvent[], sizes: readonly number[]): ShopEvent[][] {
  const batches: ShopEvent[][] = [];
  for (let start = 0; start < events.length; start += batches.at(-1)?.length ?? 1) {
    batches.push(events.slice(start, start + (sizes[batches.length % sizes.length] ?? 1)));
  }
  return batches;
}

async function project(batches: readonly (readonly ShopEvent[])[]): Promise<void> {
  for (const batch of batches) await database.transaction((tx) => store.add(tx, fold(batch)));
}

async function figures(): Promise<Record<string, unknown[]>> {
  const tables: Record<string, unknown[]> = {};
  for (const table of TABLES) {
    const { rows } = await database.query(`SELECT t::text FROM ${table} t ORDER BY t::text COLLATE "C"`);
    tables[table] = rows;
  }
  return tables;
}

async function empty(): Promise<void> {
  await database.query(`TRUNCATE ${TABLES.join(', ')}`);
}

import { join } from 'node:path';
import { Database } from '@millrace/database';
import { migrateDeploy } from '@millrace/database/migrate';
import { createTestDatabase } from '@millrace/database/testing';
import { messagingMigrations } from '@millrace/messaging/migrations';

export const schemaPath = join(import.meta.dirname, '../prisma/schema.prisma');
const migrations = join(import.meta.dirname, '../prisma/migrations');

/** A database as a newly installed inventory service has it. Whoever made it drops it, which also closes it. */
export interface InventoryDatabase {
  readonly url: string;
  readonly database: Database;
  drop(): Promise<void>;
}

export async function inventoryDatabase(): Promise<InventoryDatabase> {
  const created = await createTestDatabase();
  await migrateDeploy({ url: created.url, schemaPath, migrationDirectories: [messagingMigrations, migrations] });
  const database = new Database({ url: created.url, applicationName: 'inventory-test' });
  return {
    url: created.url,
    database,
    async drop() {
      await database.close();
      await created.drop();
    },
  };
}

/** Lists products with this much stock of each. */
export async function shelve(database: Database, stock: Readonly<Record<string, number>>): Promise<void> {
  await database.query(
    `WITH listed AS (
       INSERT INTO product (sku, name, price_minor, currency, version, listed_at)
       SELECT sku, sku, 100, 'EUR', 1, now() FROM unnest($1::text[]) AS sku
     )
     INSERT INTO stock (sku, on_hand) SELECT * FROM unnest($1::text[], $2::int[])`,
    [Object.keys(stock), Object.values(stock)],
  );
}

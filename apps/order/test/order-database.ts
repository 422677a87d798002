import { join } from 'node:path';
import { Database } from '@millrace/database';
import { migrateDeploy } from '@millrace/database/migrate';
import { createTestDatabase } from '@millrace/database/testing';
import { messagingMigrations } from '@millrace/messaging/migrations';

export const schemaPath = join(import.meta.dirname, '../prisma/schema.prisma');
const migrations = join(import.meta.dirname, '../prisma/migrations');

/** A database as a newly installed order service has it. Whoever made it drops it, which also closes it. */
export interface OrderDatabase {
  readonly url: string;
  readonly database: Database;
  drop(): Promise<void>;
}

export async function orderDatabase(): Promise<OrderDatabase> {
  const created = await createTestDatabase();
  await migrateDeploy({ url: created.url, schemaPath, migrationDirectories: [messagingMigrations, migrations] });
  const database = new Database({ url: created.url, applicationName: 'order-test' });
  return {
    url: created.url,
    database,
    async drop() {
      await database.close();
      await created.drop();
    },
  };
}

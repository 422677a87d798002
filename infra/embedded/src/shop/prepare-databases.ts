import { join } from 'node:path';
import { migrateDeploy } from '@millrace/database/migrate';
import { messagingMigrations } from '@millrace/messaging/migrations';
import { createServiceDatabases } from '../databases.ts';
import type { PostgresServer } from '../postgres.ts';
import { databases, serviceFolder, services, type DatabaseName } from './services.ts';

/** Where each database is, for the role that owns it. */
export type DatabaseUrls = Readonly<Record<DatabaseName, string>>;

/** Creates databases and roles where they are missing, and applies the migrations that each service lacks. */
export async function prepareDatabases(postgres: PostgresServer): Promise<DatabaseUrls> {
  // The server listens on 127.0.0.1 only and holds nothing but the data of demos and tests.
  const urls = await createServiceDatabases(postgres.superuserUrl, databases, (name) => name);
  // In this process: the six `migrate` commands as processes of their own do the same work in five times the time.
  await Promise.all(
    services.map((service) => {
      const prisma = join(serviceFolder(service), 'prisma');
      return migrateDeploy({
        url: urls[service],
        schemaPath: join(prisma, 'schema.prisma'),
        migrationDirectories: [join(prisma, 'migrations'), messagingMigrations],
      });
    }),
  );
  return urls;
}

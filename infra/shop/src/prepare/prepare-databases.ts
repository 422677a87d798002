import { join } from 'node:path';
import { migrateDeploy } from '@millrace/database/migrate';
import { messagingMigrations } from '@millrace/messaging/migrations';
import type { DatabaseUrls } from '../running-shop.ts';
import { databases, services, type DatabaseName } from '../services.ts';
import { createServiceDatabases } from './create-databases.ts';

// Each service keeps its schema and migrations in its own folder of the repository.
const appsFolder = join(import.meta.dirname, '..', '..', '..', '..', 'apps');

/**
 * Creates databases and roles where they are missing, and applies the migrations that each service lacks. May be repeated.
 * Resolves to where each database is, for the role that owns it.
 */
export async function prepareDatabases(
  superuserUrl: string,
  passwordOf: (database: DatabaseName) => string,
): Promise<DatabaseUrls> {
  const urls = await createServiceDatabases(superuserUrl, databases, passwordOf);
  // In this process: the six `migrate` commands as processes of their own do the same work in five times the time.
  await Promise.all(
    services.map((service) => {
      const prisma = join(appsFolder, service, 'prisma');
      return migrateDeploy({
        url: urls[service],
        schemaPath: join(prisma, 'schema.prisma'),
        migrationDirectories: [join(prisma, 'migrations'), messagingMigrations],
      });
    }),
  );
  return urls;
}

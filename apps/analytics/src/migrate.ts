import { join } from 'node:path';
import { runMigrateCommand } from '@millrace/database/migrate';
import { messagingMigrations } from '@millrace/messaging/migrations';
import { createLogger } from '@millrace/observability';
import { readMigrateConfig } from './config.ts';

// Beside src when run from source, beside dist when built.
const prismaDir = join(import.meta.dirname, '../prisma');

const { DATABASE_URL: url, LOG_LEVEL: level, LOG_PRETTY: pretty } = readMigrateConfig();
const logger = createLogger({ service: 'analytics', level, pretty });

await runMigrateCommand({
  service: 'analytics',
  url,
  prismaDir,
  libraryMigrationDirectories: [messagingMigrations],
  log: (fields, message) => logger.info(fields, message),
});
// The schema engine leaves a timer behind that would keep the process alive.
process.exit(0);

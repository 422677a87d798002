import { join } from 'node:path';
import { runMigrateCommand } from '@millrace/database/migrate';
import { messagingMigrations } from '@millrace/messaging/migrations';
import { createLogger } from '@millrace/observability';
import { readMigrateConfig } from './config.ts';

const { DATABASE_URL: url, LOG_LEVEL: level, LOG_PRETTY: pretty } = readMigrateConfig();
const logger = createLogger({ service: 'order', level, pretty });

await runMigrateCommand({
  service: 'order',
  url,
  // Beside src when run from source, beside dist when built.
  prismaDir: join(import.meta.dirname, '../prisma'),
  libraryMigrationDirectories: [messagingMigrations],
  log: (fields, message) => logger.info(fields, message),
});

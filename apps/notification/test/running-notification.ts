import { fileURLToPath } from 'node:url';
import { type AnyContract, type BodyOf, encode, type MessageId, newId } from '@millrace/contracts';
import { migrateDeploy } from '@millrace/database/migrate';
import { createTestDatabase, type TestDatabase } from '@millrace/database/testing';
import { messagingMigrations } from '@millrace/messaging/migrations';
import type { TestTopics } from '@millrace/messaging/testing';
import { type RunningService, startService } from '@millrace/service';
import { appModule } from '../src/app.module.ts';
import { readConfig } from '../src/config.ts';

const prisma = (path: string) => fileURLToPath(new URL(`../prisma/${path}`, import.meta.url));

/** A database of its own with the service's tables. */
export async function notificationDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  await migrateDeploy({
    url: database.url,
    schemaPath: prisma('schema.prisma'),
    migrationDirectories: [prisma('migrations'), messagingMigrations],
  });
  return database;
}

/** A replica of the service on a free port. Whoever started it stops it. */
export function startNotification(
  database: TestDatabase,
  topics: TestTopics,
  smtpUrl: string,
): Promise<RunningService> {
  const config = readConfig({
    HTTP_PORT: '0',
    DATABASE_URL: database.url,
    KAFKA_BROKERS: topics.brokers.join(','),
    KAFKA_TOPIC_PREFIX: topics.prefix,
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
    SMTP_URL: smtpUrl,
  });
  return startService({ name: 'notification', config, module: appModule(config) });
}

/** A record as the order service would send it. */
export function recordOf<C extends AnyContract>(contract: C, body: BodyOf<C>, id: MessageId = newId()) {
  const facts = { id, source: 'order', time: new Date(), correlationId: id };
  const { topic, key, value, headers } = encode(contract(body), facts);
  return { topic, key, value, headers: { ...headers } };
}

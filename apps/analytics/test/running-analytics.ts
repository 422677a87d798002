import { fileURLToPath } from 'node:url';
import { catalogue, encode, newId } from '@millrace/contracts';
import { migrateDeploy } from '@millrace/database/migrate';
import { createTestDatabase, type TestDatabase } from '@millrace/database/testing';
import { messagingMigrations } from '@millrace/messaging/migrations';
import type { TestTopics } from '@millrace/messaging/testing';
import { type RunningService, startService } from '@millrace/service';
import { appModule } from '../src/app.module.ts';
import { readConfig } from '../src/config.ts';
import type { ShopEvent } from '../src/figures/domain/shop-events.ts';

const prisma = (path: string) => fileURLToPath(new URL(`../prisma/${path}`, import.meta.url));

/** A database of its own with the service's tables. */
export async function analyticsDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  await migrateDeploy({
    url: database.url,
    schemaPath: prisma('schema.prisma'),
    migrationDirectories: [prisma('migrations'), messagingMigrations],
  });
  return database;
}

/** A replica of the service on a free port. Whoever started it stops it. */
export function startAnalytics(database: TestDatabase, topics: TestTopics): Promise<RunningService> {
  const config = readConfig({
    HTTP_PORT: '0',
    DATABASE_URL: database.url,
    KAFKA_BROKERS: topics.brokers.join(','),
    KAFKA_TOPIC_PREFIX: topics.prefix,
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
  });
  return startService({ name: 'analytics', config, module: appModule(config) });
}

/** The record by which the event would have come. */
export function recordOf(event: ShopEvent) {
  const contract = catalogue.find(({ type }) => type === event.type);
  if (contract === undefined) throw new Error(`no contract is called ${event.type}`);
  const facts = { id: newId(), source: 'test', time: event.time, correlationId: event.correlationId };
  const { topic, key, value, headers } = encode(contract(event.body), facts);
  return { topic, key, value, headers: { ...headers } };
}

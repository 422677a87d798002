import { join } from 'node:path';
import { migrateDeploy } from '@millrace/database/migrate';
import { createTestDatabase, type TestDatabase } from '@millrace/database/testing';
import { messagingMigrations } from '@millrace/messaging/migrations';
import type { TestTopics } from '@millrace/messaging/testing';

/** A database of its own as a newly installed service has it. `prisma` is the service's folder of that name. */
export async function serviceDatabase(prisma: string): Promise<TestDatabase> {
  const database = await createTestDatabase();
  await migrateDeploy({
    url: database.url,
    schemaPath: join(prisma, 'schema.prisma'),
    migrationDirectories: [join(prisma, 'migrations'), messagingMigrations],
  });
  return database;
}

/** What every service is told by its environment: a free port, its database, and the topics of the test file. */
export function serviceEnvironment(databaseUrl: string, topics: TestTopics): Readonly<Record<string, string>> {
  return {
    HTTP_PORT: '0',
    DATABASE_URL: databaseUrl,
    KAFKA_BROKERS: topics.brokers.join(','),
    KAFKA_TOPIC_PREFIX: topics.prefix,
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
  };
}

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { goldens } from '@millrace/contracts/goldens';
import { Database } from '@millrace/database';
import { migrateDeploy } from '@millrace/database/migrate';
import { createTestDatabase, type TestDatabase } from '@millrace/database/testing';
import { messagingMigrations } from '@millrace/messaging/migrations';
import { replay, saidBy, TestTopics, topicsOf, until } from '@millrace/messaging/testing';
import { type RunningService, startService } from '@millrace/service';
import { declaredTalk, documentedRoutes, OPERATORS_ROUTES, servedRoutes } from '@millrace/service/testing';
import { paymentModule } from '../src/app.module.ts';
import { readConfig } from '../src/config.ts';

const declared = declaredTalk(join(import.meta.dirname, '../../../docs/asyncapi/payment.json'));
const groups = [...declared.hears.keys()];
const heard = [...declared.hears.values()].flatMap(({ wireTypes }) => wireTypes);
const topics = new TestTopics();
const prisma = (path: string) => join(import.meta.dirname, '../prisma', path);
const messages = goldens().filter(({ headers }) => heard.includes(headers['ce_type'] ?? ''));
let storage: TestDatabase;
let books: TestDatabase;
let service: RunningService;

beforeAll(async () => {
  [storage, books] = await Promise.all([createTestDatabase(), createTestDatabase(), topics.create(groups)]);
  await migrateDeploy({
    url: storage.url,
    schemaPath: prisma('schema.prisma'),
    migrationDirectories: [prisma('migrations'), messagingMigrations],
  });
  const config = readConfig({
    HTTP_PORT: '0',
    DATABASE_URL: storage.url,
    KAFKA_BROKERS: topics.brokers.join(','),
    KAFKA_TOPIC_PREFIX: topics.prefix,
    LOG_LEVEL: 'silent',
    PAYMENT_PROVIDER_LEDGER_URL: books.url,
  });
  service = await startService({ name: 'payment', config, module: paymentModule(config) });
});

afterAll(async () => {
  await service.stop();
  await topics.close();
  await Promise.all([storage.drop(), books.drop()]);
});

describe('what the payment service promises others', () => {
  it('handles what every release asked of it, story by story, and sets nothing aside', async () => {
    await replay(topics, service.app.get(Database), messages);
    const { rows } = await service.app
      .get(Database)
      .query<{ status: string; times: number }>(
        'SELECT status, count(*)::int AS times FROM payment GROUP BY status ORDER BY status',
      );
    const times = new Set(messages.map(({ release }) => release)).size;
    expect(rows).toEqual(['captured', 'declined', 'refunded', 'voided'].map((status) => ({ status, times })));
    for (const group of groups) expect(await topics.read(`${group}.dlq`)).toEqual([]);
  });

  it('says what its AsyncAPI document declares, all of it and nothing else', async () => {
    await until('all of it is said', async () => {
      const said = await saidBy(topics, 'payment', ['payment.events.v1']);
      return said.length >= declared.says.length;
    });
    expect(await saidBy(topics, 'payment', ['payment.events.v1'])).toEqual(declared.says);
  });

  it('subscribes to the topics that its AsyncAPI document names, group by group', async () => {
    for (const [group, { topics: names }] of declared.hears) expect(await topicsOf(topics, group)).toEqual(names);
  });

  it('serves the routes that its API document describes, and those of its operators', async () => {
    const documented = await documentedRoutes(service.url);
    expect(documented).not.toEqual([]);
    expect(servedRoutes(service.app)).toEqual([...documented, ...OPERATORS_ROUTES].toSorted());
  });
});

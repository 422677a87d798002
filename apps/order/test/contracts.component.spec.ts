import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type OrderId, topics as all } from '@millrace/contracts';
import { goldens } from '@millrace/contracts/goldens';
import { Database } from '@millrace/database';
import { LocalTransactions } from '@millrace/messaging';
import { replay, saidBy, TestTopics, topicsOf, until } from '@millrace/messaging/testing';
import { type RunningService, startService } from '@millrace/service';
import { declaredTalk, documentedRoutes, OPERATORS_ROUTES, servedRoutes } from '@millrace/service/testing';
import { appModule } from '../src/app.module.ts';
import { CheckoutDecider } from '../src/checkout/checkout.decider.ts';
import { accepted } from '../src/checkout/domain/checkout.examples.ts';
import { readConfig } from '../src/config.ts';
import { type OrderDatabase, orderDatabase } from './order-database.ts';

const declared = declaredTalk(join(import.meta.dirname, '../../../docs/asyncapi/order.json'));
const groups = [...declared.hears.keys()];
const heard = [...declared.hears.values()].flatMap(({ wireTypes }) => wireTypes);
const topics = new TestTopics();
const messages = goldens().filter(({ headers }) => heard.includes(headers['ce_type'] ?? ''));
const names = Object.values(all).map(({ name }) => name);
const said = () => saidBy(topics, 'order', names);
let order: OrderDatabase;
let service: RunningService;

beforeAll(async () => {
  [order] = await Promise.all([orderDatabase(), topics.create(groups)]);
  const config = readConfig({
    HTTP_PORT: '0',
    DATABASE_URL: order.url,
    KAFKA_BROKERS: topics.brokers.join(','),
    KAFKA_TOPIC_PREFIX: topics.prefix,
    LOG_LEVEL: 'silent',
  });
  service = await startService({ name: 'order', config, module: appModule(config) });
});

afterAll(async () => {
  await service.stop();
  await topics.close();
  await order.drop();
});

/** Places the orders that the stories are about. */
async function place(): Promise<void> {
  const ids = new Set(messages.filter(({ topic }) => topic !== 'catalog.events.v1').map(({ key }) => key));
  const decider = service.app.get(CheckoutDecider, { strict: false });
  await service.app.get(LocalTransactions, { strict: false }).run((local) =>
    local.decide(
      decider,
      [...ids].map((id) => accepted(id as OrderId, new Date())),
    ),
  );
}

describe('what the order service promises others', () => {
  it('brings orders to their ends by what every release said, story by story, and sets nothing aside', async () => {
    await place();
    await replay(topics, service.app.get(Database), messages);
    const { rows } = await order.database.query<{ stage: string; times: number }>(
      'SELECT stage, count(*)::int AS times FROM checkouts GROUP BY stage ORDER BY stage',
    );
    const times = new Set(messages.map(({ release }) => release)).size;
    expect(rows).toEqual([
      { stage: 'Cancelled', times: 4 * times },
      { stage: 'Completed', times },
    ]);
    const kept = await order.database.query('SELECT 1 FROM order_notifications');
    expect(kept.rows).toHaveLength(messages.filter(({ topic }) => topic === 'notification.events.v1').length);
    const prices = await order.database.query('SELECT price_minor::int AS price FROM products');
    expect(prices.rows).toEqual(Array.from({ length: times }, () => ({ price: 450 })));
    for (const group of groups) expect(await topics.read(`${group}.dlq`)).toEqual([]);
  });

  it('says what its AsyncAPI document declares, all of it and nothing else', async () => {
    await until('all of it is said', async () => (await said()).length >= declared.says.length);
    expect(await said()).toEqual(declared.says);
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

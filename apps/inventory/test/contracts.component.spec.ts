import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { goldens } from '@millrace/contracts/goldens';
import { Database } from '@millrace/database';
import { replay, saidBy, TestTopics, topicsOf, until } from '@millrace/messaging/testing';
import { type RunningService, startService } from '@millrace/service';
import { declaredTalk, documentedRoutes, OPERATORS_ROUTES, servedRoutes } from '@millrace/service/testing';
import { appModule } from '../src/app.module.ts';
import { readConfig } from '../src/config.ts';
import { type InventoryDatabase, inventoryDatabase, shelve } from './inventory-database.ts';

const declared = declaredTalk(join(import.meta.dirname, '../../../docs/asyncapi/inventory.json'));
const groups = [...declared.hears.keys()];
const heard = [...declared.hears.values()].flatMap(({ wireTypes }) => wireTypes);
const topics = new TestTopics();
const messages = goldens().filter(({ headers }) => heard.includes(headers['ce_type'] ?? ''));
const said = () => saidBy(topics, 'inventory', ['inventory.events.v1', 'catalog.events.v1']);
let inventory: InventoryDatabase;
let service: RunningService;

beforeAll(async () => {
  [inventory] = await Promise.all([inventoryDatabase(), topics.create(groups)]);
  await shelve(inventory.database, { 'TEA-GREEN-100G': 1_000, 'MUG-SOLD-OUT': 0 });
  const config = readConfig({
    DATABASE_URL: inventory.url,
    KAFKA_BROKERS: topics.brokers.join(','),
    KAFKA_TOPIC_PREFIX: topics.prefix,
    HTTP_PORT: '0',
    LOG_LEVEL: 'silent',
  });
  service = await startService({ name: 'inventory', config, module: appModule(config) });
});

afterAll(async () => {
  await service.stop();
  await topics.close();
  await inventory.drop();
});

async function send(method: 'POST' | 'PUT', path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(service.url + path, { method, headers, body: JSON.stringify(body) });
  expect(answer.ok).toBe(true);
}

describe('what the inventory service promises others', () => {
  it('handles what every release asked of it, story by story, and sets nothing aside', async () => {
    await replay(topics, service.app.get(Database), messages);
    const times = new Set(messages.map(({ release }) => release)).size;
    const stock = (await (await fetch(`${service.url}/stock/TEA-GREEN-100G`)).json()) as object;
    // Of two in each order, one order of each release took them for good, and the others gave them back.
    expect(stock).toMatchObject({ onHand: 1_000 - 2 * times, reserved: 0 });
    for (const group of groups) expect(await topics.read(`${group}.dlq`)).toEqual([]);
  });

  it('says what its AsyncAPI document declares, all of it and nothing else', async () => {
    const price = { amountMinor: 1000, currency: 'EUR' };
    await send('POST', '/products', { sku: 'NEW', name: 'Brand new', price, stock: 1 });
    await send('PUT', '/products/NEW/price', { ...price, amountMinor: 900 });
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

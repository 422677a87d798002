import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { goldens } from '@millrace/contracts/goldens';
import { Database } from '@millrace/database';
import { replay, TestTopics } from '@millrace/messaging/testing';
import type { RunningService } from '@millrace/service';
import { ServicePromises } from '@millrace/service/testing';
import { type InventoryDatabase, inventoryDatabase, shelve } from './inventory-database.ts';
import { startInventory } from './running-inventory.ts';

const topics = new TestTopics();
const promises = new ServicePromises('inventory', topics, goldens());
const { groups, messages, releases: times } = promises;
let inventory: InventoryDatabase;
let service: RunningService;

beforeAll(async () => {
  [inventory] = await Promise.all([inventoryDatabase(), topics.create(groups)]);
  await shelve(inventory.database, { 'TEA-GREEN-100G': 1_000, 'MUG-SOLD-OUT': 0 });
  service = await startInventory(inventory, topics);
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
    const stock = (await (await fetch(`${service.url}/stock/TEA-GREEN-100G`)).json()) as object;
    // Of two in each order, one order of each release took them for good, and the others gave them back.
    expect(stock).toMatchObject({ onHand: 1_000 - 2 * times, reserved: 0 });
    expect(await promises.setAside()).toEqual([]);
  });

  it('says what its AsyncAPI document declares, all of it and nothing else', async () => {
    const price = { amountMinor: 1000, currency: 'EUR' };
    await send('POST', '/products', { sku: 'NEW', name: 'Brand new', price, stock: 1 });
    await send('PUT', '/products/NEW/price', { ...price, amountMinor: 900 });
    expect(await promises.said(['inventory.events.v1', 'catalog.events.v1'])).toEqual(promises.says);
  });

  promises.itHearsAndServesWhatIsDocumented(() => service);
});

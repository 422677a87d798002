import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type OrderId, topics as all } from '@millrace/contracts';
import { goldens } from '@millrace/contracts/goldens';
import { Database } from '@millrace/database';
import { LocalTransactions } from '@millrace/messaging';
import { replay, TestTopics } from '@millrace/messaging/testing';
import type { RunningService } from '@millrace/service';
import { ServicePromises } from '@millrace/service/testing';
import { CheckoutDecider } from '../src/checkout/checkout.decider.ts';
import { accepted } from '../src/checkout/domain/checkout.examples.ts';
import { type OrderDatabase, orderDatabase } from './order-database.ts';
import { startOrder } from './running-order.ts';

const topics = new TestTopics();
const promises = new ServicePromises('order', topics, goldens());
const { groups, messages, releases: times } = promises;
let order: OrderDatabase;
let service: RunningService;

beforeAll(async () => {
  [order] = await Promise.all([orderDatabase(), topics.create(groups)]);
  service = await startOrder(order, topics);
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
    expect(rows).toEqual([
      { stage: 'Cancelled', times: 4 * times },
      { stage: 'Completed', times },
    ]);
    const kept = await order.database.query('SELECT 1 FROM order_notifications');
    expect(kept.rows).toHaveLength(messages.filter(({ topic }) => topic === 'notification.events.v1').length);
    const prices = await order.database.query('SELECT price_minor::int AS price FROM products');
    expect(prices.rows).toEqual(Array.from({ length: times }, () => ({ price: 450 })));
    expect(await promises.setAside()).toEqual([]);
  });

  it('says what its AsyncAPI document declares, all of it and nothing else', async () => {
    expect(await promises.said(Object.values(all).map(({ name }) => name))).toEqual(promises.says);
  });

  promises.itHearsAndServesWhatIsDocumented(() => service);
});

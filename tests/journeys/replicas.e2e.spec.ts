import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Shop } from '@millrace/embedded';
import { createKafka } from '@millrace/messaging/kafka';
import { TestTopics, until } from '@millrace/messaging/testing';
import { createLogger } from '@millrace/observability';
import { checkBooks, NO_MAIL_REPEATED, waitForEnd } from '@millrace/shop';
import { orderApisOf, placeMany } from './customers.ts';
import { shopUnderTest } from './shop-under-test.ts';

const TEST_TIMEOUT_MS = 300_000;

describe('a shop with two replicas of every service', () => {
  let shop: Shop;

  beforeAll(async () => {
    shop = await shopUnderTest({
      replicas: { order: 2, inventory: 2, payment: 2, shipping: 2, notification: 2, analytics: 2 },
    });
  }, TEST_TIMEOUT_MS);
  afterAll(async () => {
    await shop?.stop();
  });

  const balancedBooks = async () => {
    await waitForEnd(shop, { timeoutMs: 90_000 });
    const { verdicts, orders } = await checkBooks(shop);
    // A mail that is under way when its service dies or loses a partition may be repeated, under the same Message-ID.
    expect(verdicts.filter(({ rule, holds }) => !holds && rule !== NO_MAIL_REPEATED)).toEqual([]);
    return orders;
  };
  const everyReplica = () => Object.values(shop.services).flat();

  it(
    'brings every order to its one end while replicas leave and come back',
    async () => {
      const seconds = everyReplica().filter(({ number }) => number === 2);
      const placing = placeMany([shop.urls.order], 150);
      await Promise.all(seconds.map((replica) => replica.stop()));
      await Promise.all(seconds.map((replica) => replica.start()));
      await placing;
      await shop.ready();
      await placeMany(orderApisOf(shop), 50);
      const orders = await balancedBooks();
      expect(orders.completed + orders.cancelled).toBe(200);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'charges, mails and ships nothing twice when every message comes again and every group starts from offset 0',
    async () => {
      await placeMany(orderApisOf(shop), 20);
      const before = await balancedBooks();
      const mailsBefore = shop.mailSink.total();

      const topics = new TestTopics(shop.brokers.join(','), '');
      for (const topic of [
        'order.events.v1',
        'inventory.commands.v1',
        'inventory.events.v1',
        'payment.commands.v1',
        'payment.events.v1',
        'shipping.commands.v1',
        'shipping.events.v1',
      ]) {
        const records = await topics.read(topic);
        await topics.send(records.map(({ key, value, headers }) => ({ topic, key, value, headers: { ...headers } })));
      }
      await topics.close();
      await balancedBooks();

      await Promise.all(everyReplica().map((replica) => replica.stop()));
      const logger = createLogger({ service: 'test', level: 'silent' });
      const admin = createKafka({ brokers: shop.brokers, clientId: 'test', logger }).admin();
      await admin.connect();
      const { groups } = await admin.listGroups();
      // Without committed offsets a group reads every topic from its first record. One whose member could not say farewell in time
      // has it until its session ends.
      const left = new Set(
        groups
          .map(({ groupId }) => groupId)
          .filter((groupId) => /^(order|inventory|payment|shipping|notification|analytics)\./.test(groupId)),
      );
      for (const group of left) {
        await until(`${group} has no members and is deleted`, () =>
          admin.deleteGroups([group]).then(
            () => true,
            () => false,
          ),
        );
      }
      await admin.disconnect();
      await Promise.all(everyReplica().map((replica) => replica.start()));
      await shop.ready();

      expect(await balancedBooks()).toEqual(before);
      expect(shop.mailSink.total()).toBe(mailsBefore);
    },
    TEST_TIMEOUT_MS,
  );
});

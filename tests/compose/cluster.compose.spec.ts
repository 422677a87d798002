import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@millrace/messaging/testing';
import { ComposeShop } from './compose-shop.ts';
import { Customer, placeAndComplete } from './orders.ts';

const MINUTE_MS = 60_000;

let shop: ComposeShop;

beforeAll(async () => {
  shop = await ComposeShop.prepare('cluster');
  await shop.start({ withinS: 300 });
}, 7 * MINUTE_MS);

afterAll(async () => {
  await shop.down();
}, 2 * MINUTE_MS);

const describeTopics = (broker: string, ...options: readonly string[]): Promise<string> =>
  shop.compose(
    ...['exec', '-T', broker, '/opt/kafka/bin/kafka-topics.sh'],
    ...['--bootstrap-server', 'brokers:9092', '--describe', ...options],
  );

/** Whether each partition is on as many brokers as it should be, asked of one of them. */
const isComplete = (broker: string): Promise<boolean> =>
  describeTopics(broker, '--under-replicated-partitions').then(
    (partitions) => partitions.trim() === '',
    // A cluster that has just lost or won a broker may not answer in time.
    () => false,
  );

describe('three brokers', () => {
  it(
    'hold every partition three times',
    async () => {
      await until('every partition is on three brokers', () => isComplete('kafka'), {
        timeoutMs: MINUTE_MS,
        everyMs: 1_000,
      });
      const topics = await describeTopics('kafka');
      const factors = [...topics.matchAll(/Topic: (\S+)\s.*ReplicationFactor: (\d+)/g)].map(([, topic, factor]) => [
        topic,
        factor,
      ]);
      expect(factors.length).toBeGreaterThan(8);
      expect(factors.filter(([, factor]) => factor !== '3')).toEqual([]);
    },
    2 * MINUTE_MS,
  );

  it(
    'lose nothing when any one of them stops: orders go on, and each order that was accepted ends',
    async () => {
      const customer = new Customer(shop.url('ORDER_PORT'));
      try {
        for (const broker of ['kafka-2', 'kafka-3', 'kafka']) {
          const other = broker === 'kafka' ? 'kafka-2' : 'kafka';
          await shop.compose('stop', broker);
          await placeAndComplete(shop.url('ORDER_PORT'), 2 * MINUTE_MS);
          shop.say(`an order was completed without ${broker}; ${customer.accepted.length} are accepted by now`);
          await shop.compose('up', '--wait', '--no-deps', '--no-recreate', broker);
          await until(`${broker} has caught up`, () => isComplete(other), {
            timeoutMs: 2 * MINUTE_MS,
            everyMs: 1_000,
          });
        }
      } finally {
        customer.stop();
      }
      const open = await customer.leave(2 * MINUTE_MS);
      shop.say(`${customer.accepted.length} orders accepted, ${customer.refused} refused, ${open.length} open`);
      expect(customer.accepted.length).toBeGreaterThan(20);
      expect(open).toEqual([]);
    },
    10 * MINUTE_MS,
  );

  it(
    'leave books that add up',
    async () => {
      expect(await shop.compose('run', '--rm', '--no-deps', 'tour')).toContain('Every check held.');
    },
    4 * MINUTE_MS,
  );

  it(
    'leave nothing behind',
    async () => {
      expect(await shop.down()).toEqual([]);
    },
    2 * MINUTE_MS,
  );
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from '@millrace/database';
import type { Replica, Shop } from '@millrace/embedded';
import { type Gateway, readConfig, startGateway } from '@millrace/gateway';
import { underLoad } from '@millrace/messaging/fixtures';
import { growTopic, TopicView } from '@millrace/messaging/kafka';
import { until } from '@millrace/messaging/testing';
import { createLogger } from '@millrace/observability';
import { checkBooks, NO_MAIL_REPEATED, services, topicsHeard, waitForEnd } from '@millrace/shop';
import { placeMany } from './customers.ts';
import { PartitionPauses } from './partition-pauses.ts';
import { shopUnderTest } from './shop-under-test.ts';

const TEST_TIMEOUT_MS = 420_000;

// A killed member is missed for six seconds, and all groups of a service agree anew, each at its own pace on a busy machine.
const PATIENCE = { timeoutMs: 90_000, everyMs: 100 };

// About twenty orders a second: every partition of every topic has something to do nearly all the time.
const ORDERS_AT_ONCE = 5;
const PAUSE_MS = 200;

const logger = createLogger({ service: 'test', level: 'silent' });
const groups = Object.entries(topicsHeard).map(([name, topics]) => ({ name, topics }));

describe('a shop with two replicas of every service behind a gateway', () => {
  let shop: Shop;
  let gateway: Gateway;
  let view: TopicView;
  let pauses: PartitionPauses;
  let placed = 0;

  beforeAll(async () => {
    shop = await shopUnderTest({
      replicas: { order: 2, inventory: 2, payment: 2, shipping: 2, notification: 2, analytics: 2 },
    });
    // A service that is being replaced stays in the list: the gateway finds out by itself.
    const config = readConfig({ GATEWAY_ROUTES: '0=http://order:8080', GATEWAY_STATUS_PORT: '0' });
    gateway = await startGateway(config, logger, () => Promise.resolve(shop.services.order.map(({ url }) => url)));
    view = new TopicView({ brokers: shop.brokers, logger, groups });
    pauses = new PartitionPauses(shop.brokers);
  }, TEST_TIMEOUT_MS);
  afterAll(async () => {
    await pauses?.close();
    await view?.close();
    await gateway?.stop();
    await shop?.stop();
  });

  /** Places orders at the gateway; an order that is not accepted at the first try fails the test. */
  const load = async (): Promise<void> => {
    placed += (await placeMany([gateway.urls.get('order') ?? ''], ORDERS_AT_ONCE)).length;
    await sleep(PAUSE_MS);
  };
  const rebalances = async (replica: Replica): Promise<number> => {
    const page = await (await fetch(`${replica.url}/metrics`)).text();
    const counts = page.matchAll(/^messaging_rebalances_total\{.*\} (\d+)$/gm);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const rebalancesOfAll = async (): Promise<number> => {
    const counts = await Promise.all(Object.values(shop.services).flat().map(rebalances));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const sharedByTwo = (): Promise<boolean> =>
    until(
      'each partition has one owner, and each group two members',
      async () => {
        const readers = (await view.look()).flatMap((topic) => topic.readers);
        return readers.every(
          ({ state, members, partitions }) =>
            state === 'Stable' && members.length === 2 && partitions.every(({ owner }) => owner !== undefined),
        );
      },
      PATIENCE,
    );
  /** Every order has ended, and no effect is missing or there twice. */
  const expectBooks = async (tolerated: readonly string[]): Promise<void> => {
    await waitForEnd(shop, { timeoutMs: 90_000 });
    const { verdicts, orders } = await checkBooks(shop);
    expect(verdicts.filter(({ rule, holds }) => !holds && !tolerated.includes(rule))).toEqual([]);
    expect(orders.completed + orders.cancelled).toBe(placed);
  };
  const tell = (what: string): void => void process.stdout.write(`${what}\n`);

  it(
    'is replaced process by process under load without an error at the API and without a repeated effect',
    async () => {
      let count = 0;
      const watch = pauses.next();
      const before = placed;
      const startedAt = performance.now();
      await underLoad(load, async () => {
        // As an orchestrator does it: all services at the same time, of each service one process after the other.
        await Promise.all(
          services.map(async (service) => {
            for (const replica of shop.services[service]) {
              // What a process counted goes with it.
              const counted = await rebalances(replica);
              count += counted;
              await replica.stop();
              expect(await replica.exited()).toEqual({ code: 0, signal: null });
              await replica.start();
              await replica.ready();
            }
          }),
        );
        await sharedByTwo();
      });
      const seconds = (performance.now() - startedAt) / 1000;
      count += await rebalancesOfAll();
      tell(
        `rolling restart of 12 processes in ${seconds.toFixed(0)} s with ${placed - before} orders placed: ` +
          `${count} assignments changed, ${watch()}`,
      );
      await expectBooks([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'goes on when one replica of every service is killed at once, and shares the work again when they are back',
    async () => {
      const watch = pauses.next();
      const before = placed;
      await underLoad(load, async () => {
        const seconds = services.flatMap((service) => shop.services[service].slice(1));
        await Promise.all(seconds.map((replica) => replica.kill()));
        await until(
          'the others own everything',
          async () => {
            const readers = (await view.look()).flatMap((topic) => topic.readers);
            return readers.every(({ state, members }) => state === 'Stable' && members.length === 1);
          },
          PATIENCE,
        );
        await Promise.all(seconds.map((replica) => replica.start()));
        await Promise.all(seconds.map((replica) => replica.ready()));
        await sharedByTwo();
      });
      tell(`one replica of every service killed and back with ${placed - before} orders placed: ${watch()}`);
      await expectBooks([NO_MAIL_REPEATED]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'gives the topics of orders more partitions while orders flow',
    async () => {
      const databases = services.map((name) => ({
        name,
        database: new Database({ url: shop.databases[name], applicationName: 'test', poolSize: 1 }),
      }));
      const watch = pauses.next();
      const before = placed;
      const grown = await underLoad(load, async () => {
        const all = [];
        for (const topic of ['order.events.v1', 'payment.commands.v1', 'inventory.events.v1']) {
          const options = { brokers: shop.brokers, logger, databases, groups, grownBy: 'a test' };
          all.push(await growTopic({ ...options, topic, partitions: 9 }));
        }
        await sharedByTwo();
        return all;
      });
      await Promise.all(databases.map(({ database }) => database.close()));
      const frozen = grown.map(({ topic, frozenMs }) => `${topic} ${frozenMs} ms`).join(', ');
      tell(`grown from 6 to 9 partitions with ${placed - before} orders placed: held back ${frozen}; ${watch()}`);
      for (const { from, to, unnoticedBy, untold } of grown) {
        expect({ from, to, unnoticedBy, untold }).toEqual({ from: 6, to: 9, unnoticedBy: [], untold: [] });
      }
      await expectBooks([]);
    },
    TEST_TIMEOUT_MS,
  );
});

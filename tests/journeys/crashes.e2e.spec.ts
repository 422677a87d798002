import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Shop } from '@millrace/embedded';
import { until } from '@millrace/messaging/testing';
import { checkBooks, NO_MAIL_REPEATED, type ServiceName, waitForEnd } from '@millrace/shop';
import { orderApisOf, place, placeMany } from './customers.ts';
import { shopUnderTest } from './shop-under-test.ts';

// A killed member of a consumer group is missed for six seconds before others get its partitions; several die in each test.
const TEST_TIMEOUT_MS = 300_000;
const ALL_DIE_WITHIN_MS = 120_000;

// Time for orders to reach those who have not died, before more are placed.
const LOOK_AGAIN_AFTER_MS = 1_000;

/** The consumer group in which each service dies. */
const groups = {
  order: 'order.checkout',
  inventory: 'inventory.stock',
  payment: 'payment.payments',
  shipping: 'shipping.shipments',
  analytics: 'analytics.shop',
} as const;
type Service = keyof typeof groups;

const everyService = Object.keys(groups) as Service[];

describe('a shop whose processes are killed', () => {
  let shop: Shop;

  beforeAll(async () => {
    shop = await shopUnderTest();
  }, TEST_TIMEOUT_MS);
  afterAll(async () => {
    await shop?.stop();
  });

  const expectBalance = async (): Promise<void> => {
    await waitForEnd(shop, { timeoutMs: 90_000 });
    const { verdicts } = await checkBooks(shop);
    // A mail that is under way when its service dies or loses a partition may be repeated, under the same Message-ID.
    expect(verdicts.filter(({ rule, holds }) => !holds && rule !== NO_MAIL_REPEATED)).toEqual([]);
  };

  const isOrderApiReady = async (): Promise<boolean> =>
    fetch(`${shop.urls.order}/health/ready`, { signal: AbortSignal.timeout(5_000) }).then(
      ({ ok }) => ok,
      () => false,
    );

  /**
   * Starts a service with a failpoint; once it is ready, answers with the promise that it has died there and lives again. One that still
   * had something to do may die of that before anybody saw that it was ready.
   */
  const armed = async <Name extends ServiceName>(
    service: Name,
    failpoint: string,
  ): Promise<{ service: Name; death: Promise<void> }> => {
    const [replica] = shop.services[service];
    if (replica === undefined) throw new Error(`the ${service} service has no replica`);
    await replica.stop();
    await replica.start({ MILLRACE_FAILPOINT: failpoint });
    const exited = replica.exited();
    await Promise.race([replica.ready(), exited]);
    const death = exited.then(async ({ code, signal }) => {
      if (signal !== 'SIGKILL') throw new Error(`the ${service} service ended with ${signal ?? `exit code ${code}`}`);
      await replica.start();
    });
    // Somebody waits for it later; until then nobody needs to.
    death.catch(() => undefined);
    return { service, death };
  };

  /** Places ten orders. The order API itself may be among the dead: whoever gets no answer asks again, as a customer would. */
  const placeTen = async (): Promise<void> => {
    for (;;) {
      try {
        await placeMany(orderApisOf(shop), 10);
        return;
      } catch (error) {
        // By its name: Jest's modules have a TypeError of their own, and this one is Node's.
        if ((error as Error).name !== 'TypeError') throw error;
        await until('the order API is back', isOrderApiReady, { timeoutMs: 60_000 });
      }
    }
  };

  /**
   * Every service dies while orders are placed, and is started again. Orders are placed until all have died: what was said while a
   * service was away comes to the next one at once, and may be one batch where the failpoint waits for the second.
   */
  const expectOneEffectAfterDyingAt = async (
    failpointOf: (service: Service) => string,
    among: readonly Service[],
  ): Promise<void> => {
    const armedServices = await Promise.all(among.map((service) => armed(service, failpointOf(service))));
    const alive = new Set(among);
    const deaths = armedServices.map(({ service, death }) => death.finally(() => alive.delete(service)));
    const placeUntilAllAreDead = async (): Promise<void> => {
      for (let placed = 0; placed < 40; placed += 10) await placeTen();
      await until(
        'every service has died',
        async () => {
          if (alive.size > 0) await placeTen();
          return alive.size === 0;
        },
        { timeoutMs: ALL_DIE_WITHIN_MS, everyMs: LOOK_AGAIN_AFTER_MS },
      ).catch((error: unknown) => {
        throw new Error(`did not die where they were to: ${[...alive].join(', ')}`, { cause: error });
      });
    };
    await Promise.all([...deaths, placeUntilAllAreDead()]);
    await shop.ready();
    await expectBalance();
  };

  it(
    'shows each effect once when every service dies between its database commit and its offset commit',
    async () => {
      await expectOneEffectAfterDyingAt((service) => `after-commit@${groups[service]}#2`, everyService);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'shows each effect once when every service dies just before its offset commit',
    async () => {
      // A projection that knows where it stands commits that once when it begins, with nothing behind it.
      await expectOneEffectAfterDyingAt(
        (service) => `before-offset-commit@${groups[service]}#${service === 'analytics' ? 2 : 1}`,
        everyService,
      );
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'shows each effect once when every service dies between its work, with its calls to the outside, and its commit',
    async () => {
      await expectOneEffectAfterDyingAt((service) => `before-commit@${groups[service]}#2`, everyService);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'says everything once to whoever listens when services die between produce and outbox delete',
    async () => {
      const speakers = everyService.filter((service) => service !== 'analytics');
      await expectOneEffectAfterDyingAt(() => 'after-produce@relay#2', speakers);
    },
    TEST_TIMEOUT_MS,
  );

  it.each(['after-commit', 'before-offset-commit'])(
    'tells the customer under one Message-ID when the notification service dies: %s',
    async (failpoint) => {
      const { death } = await armed('notification', `${failpoint}@notification.order-emails`);
      await place(shop.urls.order, { sku: 'SOLD-OUT' });
      await death;
      await shop.ready();
      await expectBalance();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'goes on by itself when the broker is killed and comes back mid-order',
    async () => {
      await placeMany(orderApisOf(shop), 20);
      const [broker] = shop.kafka.nodes;
      await broker?.kill('SIGKILL');
      // Orders are accepted without Kafka: what they say waits in the outbox.
      await placeMany(orderApisOf(shop), 20);
      await broker?.start();
      await expectBalance();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'goes on by itself when PostgreSQL is killed and comes back mid-order',
    async () => {
      await placeMany(orderApisOf(shop), 20);
      await shop.postgres.kill();
      await shop.postgres.start();
      await shop.ready();
      await placeMany(orderApisOf(shop), 10);
      await expectBalance();
    },
    TEST_TIMEOUT_MS,
  );
});

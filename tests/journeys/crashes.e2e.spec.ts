import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkBooks, type Shop, waitForEnd } from '@millrace/embedded';
import { until } from '@millrace/messaging/testing';
import { orderApisOf, placeMany } from './customers.ts';
import { shopUnderTest } from './shop-under-test.ts';

// A killed member of a consumer group is missed for six seconds before others get its partitions; several die in each test.
const TEST_TIMEOUT_MS = 180_000;

/** The consumer group in which each service dies. */
const groups = {
  order: 'order.checkout',
  inventory: 'inventory.stock',
  payment: 'payment.payments',
  shipping: 'shipping.shipments',
  notification: 'notification.order-emails',
  analytics: 'analytics.shop',
} as const;
type Service = keyof typeof groups;
const everyService = Object.keys(groups) as Service[];

describe('a shop whose processes are killed', () => {
  let shop: Shop;

  beforeAll(async () => {
    // SMTP knows no idempotency: a mail that is under way at a kill may arrive twice, under the same Message-ID. With one connection
    // none is under way while another is recorded, so that what is shown here is ours: the inbox and the commit.
    shop = await shopUnderTest({ env: { notification: { SMTP_CONNECTIONS: '1' } } });
  }, TEST_TIMEOUT_MS);
  afterAll(async () => {
    await shop?.stop();
  });

  const expectBalance = async (): Promise<void> => {
    await waitForEnd(shop, { timeoutMs: 90_000 });
    const { verdicts } = await checkBooks(shop);
    expect(verdicts.filter(({ holds }) => !holds)).toEqual([]);
  };

  const isOrderApiReady = async (): Promise<boolean> =>
    fetch(`${shop.urls.order}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );

  /** Starts each service with a failpoint, places orders, and starts each again when it has killed itself. */
  const expectOneEffectAfterDyingAt = async (
    failpointOf: (service: Service) => string,
    among: readonly Service[],
  ): Promise<void> => {
    const replicas = among.map((service) => ({ service, replica: shop.services[service][0] }));
    for (const { service, replica } of replicas) {
      await replica?.stop();
      await replica?.start({ MILLRACE_FAILPOINT: failpointOf(service) });
    }
    await shop.ready();
    const deaths = replicas.map(async ({ replica }) => {
      const exit = await replica?.exited();
      if (exit?.signal === 'SIGKILL') await replica?.start();
      return exit?.signal;
    });
    // The order API itself may be among the dead: whoever gets no answer asks again, as a customer would.
    for (let placed = 0; placed < 40;) {
      try {
        placed += (await placeMany(orderApisOf(shop), 10)).length;
      } catch (error) {
        // By its name: Jest's modules have a TypeError of their own, and this one is Node's.
        if ((error as Error).name !== 'TypeError') throw error;
        await until('the order API is back', isOrderApiReady, { timeoutMs: 60_000 });
      }
    }
    expect(await Promise.all(deaths)).toEqual(among.map(() => 'SIGKILL'));
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
      await expectOneEffectAfterDyingAt((service) => `before-offset-commit@${groups[service]}`, everyService);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'shows each effect once when services die between the call to the outside world and the commit',
    async () => {
      // Not the mails, see above: between the server's OK and the commit a crash repeats a mail.
      await expectOneEffectAfterDyingAt(
        (service) => `before-commit@${groups[service]}#2`,
        ['order', 'inventory', 'payment', 'shipping', 'analytics'],
      );
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'says everything once to whoever listens when services die between produce and outbox delete',
    async () => {
      // Not the mails, see above: the relay works beside the next mail.
      await expectOneEffectAfterDyingAt(() => 'after-produce@relay#2', ['order', 'inventory', 'payment', 'shipping']);
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

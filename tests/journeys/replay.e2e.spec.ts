import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Shop } from '@millrace/embedded';
import { createKafka, type Kafka } from '@millrace/messaging/kafka';
import { until } from '@millrace/messaging/testing';
import { createLogger } from '@millrace/observability';
import { checkBooks, topicsHeard, waitForEnd } from '@millrace/shop';
import pg from 'pg';
import { ShopCommand } from './command.ts';
import { orderApisOf, placeMany } from './customers.ts';
import { shopUnderTest } from './shop-under-test.ts';

const TEST_TIMEOUT_MS = 360_000;
const MIGRATIONS = join(import.meta.dirname, '..', '..', 'apps', 'analytics', 'prisma', 'migrations');

/** What everything in the shop amounts to: each row that is not the runtime's own, what was said, and what customers got. */
interface Traces {
  /** Rows by table, as one hash each. */
  readonly tables: Readonly<Record<string, string>>;
  readonly ends: Readonly<Record<string, number>>;
  readonly mails: number;
}

describe('a shop whose messages are read again', () => {
  let shop: Shop;
  let kafka: Kafka;

  beforeAll(async () => {
    shop = await shopUnderTest({ replicas: { analytics: 2 } });
    const logger = createLogger({ service: 'test', level: 'silent' });
    kafka = createKafka({ brokers: shop.brokers, clientId: 'test', logger });
  }, TEST_TIMEOUT_MS);
  afterAll(async () => {
    await shop?.stop();
  });

  const everyReplica = () => Object.values(shop.services).flat();
  const balancedBooks = async () => {
    await waitForEnd(shop, { timeoutMs: 90_000 });
    const { verdicts, orders } = await checkBooks(shop);
    expect(verdicts.filter(({ holds }) => !holds)).toEqual([]);
    return orders;
  };

  describe('because every consumer group starts from offset zero', () => {
    let before: Traces;
    let after: Traces;
    let offsetsAfterReset: ReadonlyMap<string, readonly number[]>;
    let offsetsAtTheEnd: ReadonlyMap<string, readonly number[]>;

    beforeAll(async () => {
      await placeMany(orderApisOf(shop), 60);
      await balancedBooks();
      // Nobody waits for parcels on their way; their deliveries would be effects between the two looks.
      await until('all parcels are delivered', async () => {
        const { rows } = await query('shipping', `SELECT FROM shipment WHERE status IN ('arranged', 'dispatched')`);
        return rows.length === 0;
      });
      await balancedBooks();
      before = await tracesOf();
      await Promise.all(everyReplica().map((replica) => replica.stop()));
      await withAdmin(async (admin) => {
        // Without committed offsets a group reads every topic from its first record. One whose member could not say farewell in time
        // has it until its session ends.
        for (const group of Object.keys(topicsHeard)) {
          await until(`${group} has no members and is deleted`, () =>
            admin.deleteGroups([group]).then(
              () => true,
              () => false,
            ),
          );
        }
      });
      offsetsAfterReset = await committed();
      await Promise.all(everyReplica().map((replica) => replica.start()));
      await shop.ready();
      await until(
        'what decides and what acts has read everything again',
        async () => {
          const offsets = await committed();
          return Object.entries(topicsHeard).every(
            ([group, topics]) =>
              isProjection(group) || sum(offsets.get(group)) === sum(topics.map((topic) => before.ends[topic] ?? 0)),
          );
        },
        { timeoutMs: 90_000, everyMs: 200 },
      );
      await waitForEnd(shop, { timeoutMs: 90_000 });
      offsetsAtTheEnd = await committed();
      after = await tracesOf();
    }, TEST_TIMEOUT_MS);

    it.each(Object.keys(topicsHeard))('%s causes no effect', (group) => {
      expect(sum(offsetsAfterReset.get(group))).toBe(0);
      // Projections go on where their read model stands, whatever Kafka thinks.
      if (!isProjection(group)) expect(sum(offsetsAtTheEnd.get(group))).toBeGreaterThan(0);
      const [service = ''] = group.split('.');
      const own = (traces: Traces) =>
        Object.entries(traces.tables).filter(([table]) => table.startsWith(`${service}/`));
      expect(own(before).length).toBeGreaterThan(0);
      expect(own(after)).toEqual(own(before));
    });

    it('nobody says anything, no customer is told anything, and nothing is charged, refunded or sent', async () => {
      expect(after).toEqual(before);
      expect(before.mails).toBeGreaterThan(0);
      expect(Object.keys(before.tables)).toContain('payment_provider/charge');
      await balancedBooks();
    });
  });

  it(
    'shows exactly the right figures again when analytics was killed and its tables were dropped while orders flowed',
    async () => {
      const placing = placeMany(orderApisOf(shop), 80);
      await until(
        'analytics has some of it',
        async () => {
          const { rows } = await query(
            'analytics',
            `SELECT sum(times)::int AS heard FROM tally WHERE subject = 'message'`,
          );
          return Number(rows[0]?.['heard']) > 100;
        },
        { timeoutMs: 60_000 },
      );
      await Promise.all(shop.services.analytics.map((replica) => replica.kill()));
      await query('analytics', 'DROP TABLE order_minute, tally, product_sale, stock_out, latency_bucket');
      await placing;
      // As docs/how-to/replay.md says: the tables again, empty; the service; the replay.
      for (const name of readdirSync(MIGRATIONS).toSorted()) {
        if (name.includes('.')) continue;
        await query('analytics', readFileSync(join(MIGRATIONS, name, 'migration.sql'), 'utf8'));
      }
      await Promise.all(shop.services.analytics.map((replica) => replica.start()));
      await shop.ready();
      const placingMore = placeMany(orderApisOf(shop), 40);
      const { code, output } = await millrace('replay', 'analytics.shop', '--swap');
      expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('is the live one') });
      expect(output).toMatch(/analytics\.shop: [\d,]+ of [\d,]+ messages \(\d+%\)/);
      await placingMore;
      // The books compare the figures with every order.
      const { completed, cancelled } = await balancedBooks();
      const { rows } = await query(
        'analytics',
        'SELECT sum(placed)::int AS placed, sum(completed)::int AS completed, sum(cancelled)::int AS cancelled FROM order_minute',
      );
      expect(rows).toEqual([{ placed: completed + cancelled, completed, cancelled }]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'compares while orders flow, finds nothing wrong, and finds what is',
    async () => {
      const placing = placeMany(orderApisOf(shop), 40);
      const sound = await millrace('replay', 'analytics.shop', '--json');
      await placing;
      expect(sound.code).toBe(0);
      await balancedBooks();
      await query('analytics', `UPDATE tally SET times = times + 1 WHERE subject = 'step' AND item = 'placed'`);
      const damaged = await millrace('replay', 'analytics.shop');
      expect(damaged.code).toBe(1);
      expect(damaged.output).toContain('Goes on with the replay');
      expect(damaged.output).toContain('Live and shadow differ in 1 rows');
      expect(damaged.output).toMatch(/live: +\{.*"placed"/);
      expect((await millrace('replay', 'analytics.shop', '--swap')).code).toBe(0);
      await balancedBooks();
      expect((await millrace('replay', 'analytics.shop', '--status')).output).toContain('swapped');
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'rebuilds the two projections of the order service, whose other tables stay untouched',
    async () => {
      const [prices, timeline] = [
        await millrace('replay', 'order.prices', '--swap'),
        await millrace('replay', 'order.timeline', '--swap'),
      ];
      expect([prices, timeline].map(({ code }) => code)).toEqual([0, 0]);
      expect(prices.output).toContain('Live and shadow are the same.');
      expect(timeline.output).toContain('Live and shadow are the same.');
      await placeMany(orderApisOf(shop), 10);
      await balancedBooks();
    },
    TEST_TIMEOUT_MS,
  );

  it.each(['payment.payments', 'notification.order-emails', 'shipping.shipments', 'order.checkout', 'inventory.stock'])(
    'refuses to replay %s, which acts',
    async (group) => {
      const { code, output } = await millrace('replay', group, '--swap');
      expect({ code, output }).toMatchObject({ code: 2, output: expect.stringMatching(/not a projection/) });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'waits for the service, pauses on Ctrl-C, and goes on by the same command',
    async () => {
      await Promise.all(shop.services.analytics.map((replica) => replica.stop()));
      const interrupted = new ShopCommand('millrace', ['replay', 'analytics.shop', '--swap'], environment());
      await interrupted.writes('waits for a replica');
      interrupted.signal('SIGINT');
      expect(await interrupted.end()).toMatchObject({ code: 130, output: expect.stringContaining('Paused at') });
      await Promise.all(shop.services.analytics.map((replica) => replica.start()));
      await shop.ready();
      const { code, output } = await millrace('replay', 'analytics.shop', '--swap');
      expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('Goes on with the replay') });
      await balancedBooks();
    },
    TEST_TIMEOUT_MS,
  );

  const isProjection = (group: string) => ['analytics.shop', 'order.prices', 'order.timeline'].includes(group);
  const sum = (numbers: readonly number[] = []) => numbers.reduce((total, number) => total + number, 0);

  function environment(): Record<string, string> {
    const urls = Object.entries(shop.databases).map(([name, url]) => [`${name.toUpperCase()}_DATABASE_URL`, url]);
    return { KAFKA_BROKERS: shop.brokers.join(','), ...Object.fromEntries(urls) } as Record<string, string>;
  }

  function millrace(...args: readonly string[]): ReturnType<ShopCommand['end']> {
    return new ShopCommand('millrace', args, environment()).end();
  }

  async function query(
    database: string,
    sql: string,
  ): Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }> {
    const client = new pg.Client({ connectionString: shop.databases[database as keyof typeof shop.databases] });
    await client.connect();
    try {
      return await client.query(sql);
    } finally {
      await client.end();
    }
  }

  async function tracesOf(): Promise<Traces> {
    const tables: Record<string, string> = {};
    for (const database of Object.keys(shop.databases)) {
      const { rows } = await query(
        database,
        `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '\\_%'`,
      );
      for (const { name } of rows) {
        const hash = await query(
          database,
          `SELECT count(*) || ' ' || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text COLLATE "C"), '')) AS hash FROM "${String(name)}" AS t`,
        );
        tables[`${database}/${String(name)}`] = String(hash.rows[0]?.['hash']);
      }
    }
    const ends: Record<string, number> = {};
    await withAdmin(async (admin) => {
      const names = (await admin.listTopics()).filter((name) => !name.startsWith('__'));
      for (const name of names.toSorted()) {
        ends[name] = sum((await admin.fetchTopicOffsets(name)).map(({ high }) => Number(high)));
      }
    });
    return { tables, ends, mails: shop.mailSink.total() };
  }

  /** Where each group stands in the topics that it hears. */
  async function committed(): Promise<ReadonlyMap<string, readonly number[]>> {
    const offsets = new Map<string, readonly number[]>();
    await withAdmin(async (admin) => {
      for (const [groupId, topics] of Object.entries(topicsHeard)) {
        const found = await admin.fetchOffsets({ groupId, topics: [...topics] });
        offsets.set(
          groupId,
          found.flatMap(({ partitions }) => partitions.map(({ offset }) => Math.max(0, Number(offset)))),
        );
      }
    });
    return offsets;
  }

  async function withAdmin(work: (admin: ReturnType<Kafka['admin']>) => Promise<void>): Promise<void> {
    const admin = kafka.admin();
    await admin.connect();
    try {
      await work(admin);
    } finally {
      await admin.disconnect();
    }
  }
});

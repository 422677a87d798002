import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId, PaymentCaptured, topics as declared } from '@millrace/contracts';
import { createLogger } from '@millrace/observability';
import { tally, TALLY_TABLE, tallyStore, underLoad, Workbench } from '../fixtures/index.ts';
import { type Handler, projects } from '../handlers/handler.ts';
import { LocalTransactions } from '../runtime/local-transactions.ts';
import { heard } from '../testing/given.ts';
import { until } from '../testing/until.ts';
import { CannotGrow } from './cannot-grow.ts';
import { type GrowProgress, growTopic, type GrowTopicOptions } from './grow-topic.ts';
import { TopicFreeze } from './topic-freeze.ts';
import { ensureTopics } from './topic-step.ts';

const TOPIC = 'payment.events.v1';
const GROUP = 'test.listener';
const ARRIVALS = 'CREATE TABLE arrivals (seq bigserial PRIMARY KEY, order_id uuid NOT NULL, amount int NOT NULL)';
const logger = createLogger({ service: 'test', level: 'silent' });

// Two members join, leave and share out anew in each test: seconds, and many of them on a busy machine.
const TEST_TIMEOUT_MS = 150_000;
const PATIENCE = { timeoutMs: 60_000 };

describe('a topic that is given more partitions', () => {
  let bench: Workbench;
  let gate = Promise.withResolvers<void>();

  beforeAll(async () => {
    bench = await Workbench.open([GROUP], `${TALLY_TABLE}; ${ARRIVALS}`);
  });
  afterEach(async () => {
    // A replica stops when what it has begun is done.
    gate.resolve();
    gate = Promise.withResolvers();
    await bench.stopReplicas();
    await bench.database.query('TRUNCATE arrivals, tally, messaging.outbox');
  });
  afterAll(() => bench.close());

  const grow = (partitions: number, more: Partial<GrowTopicOptions> = {}) =>
    growTopic({
      brokers: bench.topics.brokers,
      logger,
      topic: TOPIC,
      partitions,
      databases: [{ name: 'test', database: bench.database }],
      groups: [{ name: GROUP, topics: [TOPIC] }],
      topicPrefix: bench.topics.prefix,
      grownBy: 'a test',
      ...more,
    });
  const ordersOf = (count: number): readonly OrderId[] => Array.from({ length: count }, () => newId<OrderId>());
  /** Says the next amount of each order: 1, 2, 3, … */
  const say = (local: LocalTransactions, orders: readonly OrderId[]): Promise<unknown> =>
    local.run(({ decide }) =>
      decide(
        { store: tallyStore, decide: tally },
        orders.map((orderId) => heard(CapturePayment, { orderId })),
      ),
    );
  /** Hears the amounts; nothing is heard by a replica while its gate is shut. */
  const listener = (pass: () => Promise<unknown> = () => Promise.resolve()): Handler =>
    projects({
      hears: [PaymentCaptured],
      project: async (tx, messages) => {
        await pass();
        await tx.query('INSERT INTO arrivals (order_id, amount) SELECT * FROM unnest($1::uuid[], $2::int[])', [
          messages.map(({ body }) => body.orderId),
          messages.map(({ body }) => body.amount.amountMinor),
        ]);
      },
    });
  const untilSent = (): Promise<unknown> =>
    until(
      'the outbox is empty',
      async () => (await bench.database.query('SELECT FROM messaging.outbox')).rows.length === 0,
      PATIENCE,
    );
  const arrived = async (): Promise<number> =>
    (await bench.database.query<{ n: number }>('SELECT count(*)::int AS n FROM arrivals')).rows[0]?.n ?? 0;
  const amountsByOrder = async (): Promise<ReadonlyMap<string, readonly number[]>> => {
    const { rows } = await bench.database.query<{ order_id: string; amounts: number[] }>(
      'SELECT order_id, array_agg(amount ORDER BY seq) AS amounts FROM arrivals GROUP BY order_id',
    );
    return new Map(rows.map(({ order_id, amounts }) => [order_id, amounts]));
  };
  const expectOrder = async (orders: readonly OrderId[], rounds: number): Promise<void> => {
    await until('everything arrived', async () => (await arrived()) >= orders.length * rounds, PATIENCE);
    const amounts = await amountsByOrder();
    for (const orderId of orders) {
      expect(amounts.get(orderId)).toEqual(Array.from({ length: rounds }, (_, index) => index + 1));
    }
  };
  const partitionsOf = async (topic = TOPIC): Promise<number> => {
    const admin = bench.topics.kafka.admin();
    await admin.connect();
    try {
      return (await admin.fetchTopicOffsets(bench.topics.prefix + topic)).length;
    } finally {
      await admin.disconnect();
    }
  };
  const bothOwnPartitions = async (): Promise<void> => {
    const admin = bench.topics.kafka.admin();
    await admin.connect();
    await until(
      'two members are in the group',
      async () => {
        const { groups } = await admin.describeGroups([bench.topics.prefix + GROUP]);
        return groups[0]?.state === 'Stable' && groups[0].members.length === 2;
      },
      PATIENCE,
    );
    await admin.disconnect();
  };

  it(
    'waits for the slowest reader, so that no later message of a key overtakes an earlier one on its new partition',
    async () => {
      const { promise: opened } = gate;
      let isStuck = false;
      const slow = await bench.start({
        [GROUP]: listener(() => {
          isStuck = true;
          return opened;
        }),
      });
      const quick = await bench.start({ [GROUP]: listener() });
      await bothOwnPartitions();
      const orders = ordersOf(60);
      for (let round = 1; round <= 5; round++) await say(slow.get(LocalTransactions), orders);
      await until('one reader is stuck, the other has read', async () => isStuck && (await arrived()) > 0, PATIENCE);

      const seen: GrowProgress[] = [];
      const growing = grow(12, { onProgress: (progress) => seen.push(progress) });
      const isDraining = until('it waits for the reader', () =>
        seen.some((progress) => progress.step === 'draining' && progress.behind.length > 0),
      );
      let isOver = false;
      void growing.then(() => (isOver = true));
      await Promise.race([isDraining, growing]);
      for (let round = 6; round <= 10; round++) await say(quick.get(LocalTransactions), orders);
      // Did it not wait, the quick reader would hear the sixth round of keys whose first five the other one still has.
      await until('it looked often and still waits, or it did not', () => {
        const looks = seen.filter(({ step }) => step === 'draining').length;
        return isOver || looks > 10;
      });
      expect(await partitionsOf()).toBe(6);
      gate.resolve();

      const grown = await growing;
      expect(grown).toMatchObject({ topic: TOPIC, from: 6, to: 12, untold: [], unnoticedBy: [] });
      expect([...new Set(seen.map(({ step }) => step))]).toEqual([
        'holding-back',
        'draining',
        'adding-partitions',
        'sharing-out',
      ]);
      await expectOrder(orders, 10);
      const used = new Set((await bench.topics.read(TOPIC)).map(({ partition }) => partition));
      expect([...used].some((partition) => partition >= 6)).toBe(true);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'keeps the order of every key and loses nothing while it grows under load, with two relays and two readers',
    async () => {
      const replicas = [await bench.start({ [GROUP]: listener() }), await bench.start({ [GROUP]: listener() })];
      await bothOwnPartitions();
      const from = await partitionsOf();
      const orders = ordersOf(100);
      let rounds = 0;
      const load = async (): Promise<void> => {
        const replica = replicas[rounds % 2];
        if (replica) await say(replica.get(LocalTransactions), orders);
        rounds += 1;
        await until('the load is bearable', async () => rounds * orders.length - (await arrived()) < 2_000, PATIENCE);
      };
      const { frozenMs } = await underLoad(load, async () => {
        await until('messages flow', async () => (await arrived()) > 500, PATIENCE);
        return grow(from + 3);
      });
      process.stdout.write(`grown under load (${rounds * orders.length} messages): frozen for ${frozenMs} ms\n`);
      expect(await partitionsOf()).toBe(from + 3);
      await expectOrder(orders, rounds);
      for (const replica of replicas) expect(replica.fatal).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  const refusal = async (growing: Promise<unknown>): Promise<string> => {
    const error: unknown = await growing.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof CannotGrow)) throw new Error('it was not refused', { cause: error });
    return error.reason;
  };
  const isThawed = async (): Promise<boolean> => {
    const { rows } = await bench.database.query('SELECT FROM messaging.frozen_topic WHERE frozen_until > now()');
    return rows.length === 0;
  };

  it(
    'is as it was when a reader does not get to its end in time, when its readers are dead, and when it is broken off',
    async () => {
      const before = await partitionsOf();
      const { promise: opened } = gate;
      const replica = await bench.start({ [GROUP]: listener(() => opened) });
      const orders = ordersOf(20);
      await say(replica.get(LocalTransactions), orders);
      // What is still in the outbox would be held back, and nothing be waited for.
      await untilSent();
      expect(await refusal(grow(before + 1, { drainWithinMs: 500 }))).toBe('not-drained');
      expect(await isThawed()).toBe(true);

      const ctrlC = new AbortController();
      const onProgress = ({ step }: GrowProgress) => step === 'draining' && ctrlC.abort();
      expect(await refusal(grow(before + 1, { signal: ctrlC.signal, onProgress }))).toBe('interrupted');
      expect(await isThawed()).toBe(true);

      // What was held back meanwhile is sent.
      await say(replica.get(LocalTransactions), orders);
      gate.resolve();
      await expectOrder(orders, 2);
      await bench.stopReplicas();
      const speaker = await bench.start({});
      await say(speaker.get(LocalTransactions), orders);
      await untilSent();
      await until('it is known', async () => (await refusal(grow(before + 1, { drainWithinMs: 500 }))) === 'no-reader');
      expect(await partitionsOf()).toBe(before);
      expect(await isThawed()).toBe(true);
    },
    TEST_TIMEOUT_MS,
  );

  it('is refused when that cannot work: unknown, compacted, not more, or already under way', async () => {
    const before = await partitionsOf();
    expect(await refusal(grow(12, { topic: 'nobody.events.v1' }))).toBe('unknown-topic');
    await ensureTopics(bench.topics.kafka, [declared.catalogEvents], {
      replicationFactor: 1,
      topicPrefix: bench.topics.prefix,
    });
    expect(await refusal(grow(12, { topic: declared.catalogEvents.name }))).toBe('compacted');
    for (const partitions of [before, before - 1, 0, 6.5]) expect(await refusal(grow(partitions))).toBe('not-more');
    // What the tests before left there must not be in the way.
    await bench.start({ [GROUP]: listener() });
    const other = new TopicFreeze(TOPIC, 30_000);
    await other.freeze([{ name: 'test', database: bench.database }], 'somebody else');
    await expect(grow(before + 1)).rejects.toThrow('somebody else');
    expect(await isThawed()).toBe(false);
    await other.thaw();
    expect(await partitionsOf()).toBe(before);
  });
});

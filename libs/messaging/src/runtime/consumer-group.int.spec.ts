import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, defineMessage, newId, OrderId, topics as declared } from '@millrace/contracts';
import { Metrics } from '@millrace/observability';
import { z } from 'zod';
import { recordFor, scraped, tally, tallyStore, type TestReplica, underLoad, Workbench } from '../fixtures/index.ts';
import { type Handler, decides, performs } from '../handlers/handler.ts';
import { until } from '../testing/until.ts';

const GROUP = 'test.members';
const SESSION_TIMEOUT_MS = 6000;

/** A contract with a bug that no schema error tells about. */
const Bug = defineMessage({
  type: 'Bug',
  version: 1,
  // Not the topic of the other tests: their group would meet it, sooner or later, as a message that nobody knows.
  topic: declared.shippingCommands,
  key: 'orderId',
  schema: z.object({ orderId: OrderId }).transform((): { orderId: OrderId } => {
    throw new TypeError('the contract has a bug');
  }),
  meaning: 'Kills its readers.',
});

describe('a member of a consumer group', () => {
  let bench: Workbench;

  beforeAll(async () => {
    bench = await Workbench.open([GROUP]);
  });
  afterEach(async () => {
    await bench.stopReplicas();
  });
  afterAll(async () => {
    await bench.close();
  });

  const handlerWith = (store = tallyStore): Handler => decides({ hears: [CapturePayment], store, decide: tally });
  const start = (store = tallyStore): Promise<TestReplica> => bench.start({ [GROUP]: handlerWith(store) });
  const untilJoined = (replica: TestReplica): Promise<unknown> =>
    until('it joined', async () => (await replica.health.ready()).checks[`group ${GROUP}`] === 'ok');
  /** A store whose batches wait at a gate. */
  const gated = (): { store: typeof tallyStore; open: () => void; waiting: () => number } => {
    const gate = Promise.withResolvers<void>();
    let waiting = 0;
    const store: typeof tallyStore = {
      load: async (db, messages, options) => {
        waiting += messages.length;
        await gate.promise;
        return tallyStore.load(db, messages, options);
      },
    };
    return { store, open: () => gate.resolve(), waiting: () => waiting };
  };
  const members = async (): Promise<readonly string[]> => {
    const admin = bench.topics.kafka.admin();
    await admin.connect();
    try {
      const { groups } = await admin.describeGroups([bench.topics.prefix + GROUP]);
      return groups.flatMap((group) => group.members.map(({ memberId }) => memberId)).sort();
    } finally {
      await admin.disconnect();
    }
  };
  const openRecords = async (replica: TestReplica): Promise<number> => {
    const text = await replica.get(Metrics).text();
    return Number(/^messaging_open_records\{.*\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  const orderIds = (count: number): readonly OrderId[] => Array.from({ length: count }, () => newId<OrderId>());
  const captures = (orders: readonly OrderId[]): Promise<readonly string[]> =>
    bench.send(
      CapturePayment,
      orders.map((orderId) => ({ orderId })),
    );

  it('finishes and commits the batch that is under way when it stops, and sends what it said', async () => {
    const orders = orderIds(30);
    const { store, open, waiting } = gated();
    const replica = await start(store);
    await untilJoined(replica);
    const ids = await captures(orders);
    await until('a batch is under way', () => waiting() > 0);
    const stopped = bench.stopReplicas();
    open();
    await stopped;
    const applied = new Set((await Promise.all(orders.map((orderId) => bench.applied(orderId)))).flat());
    expect(applied.size).toBe(waiting());
    const committed = await bench.committed(GROUP);
    const read = (await bench.topics.read('payment.commands.v1')).filter(({ headers }) =>
      ids.includes(String(headers['ce_id'])),
    );
    for (const { partition, offset, headers } of read) {
      const isCommitted = BigInt(committed.get(`payment.commands.v1/${partition}`) ?? '0') > BigInt(offset);
      expect(isCommitted).toBe(applied.has(String(headers['ce_id'])));
    }
    const said = await bench.topics.read('payment.events.v1');
    expect(said.filter(({ headers }) => applied.has(String(headers['causation-id'])))).toHaveLength(applied.size);
    const { rows } = await bench.database.query('SELECT 1 FROM messaging.outbox');
    expect(rows).toEqual([]);
  });

  it('leaves at once, so that another member goes on without waiting for the end of its session', async () => {
    const first = await start();
    const second = await start();
    await until('both are members', async () => (await members()).length === 2);
    await Promise.all([untilJoined(first), untilJoined(second)]);
    await first.stop();
    expect(await members()).toHaveLength(1);
    const orders = orderIds(30);
    await captures(orders);
    for (const orderId of orders) await bench.untilApplied(orderId, ['one']);
  });

  it('shares the partitions with another that leaves and comes back under load: each message once, in order', async () => {
    const orders = orderIds(40);
    const sent = new Map(orders.map((orderId) => [orderId, [] as string[]]));
    await start();
    let other = await start();
    await until('both are members', async () => (await members()).length === 2);
    await underLoad(
      async () => {
        const ids = await captures(orders);
        orders.forEach((orderId, index) => sent.get(orderId)?.push(ids[index] ?? ''));
      },
      async () => {
        await other.stop();
        await until('one is left', async () => (await members()).length === 1);
        other = await start();
        await until('both are members again', async () => (await members()).length === 2);
        await untilJoined(other);
      },
    );
    for (const [orderId, ids] of sent) {
      await bench.untilApplied(orderId, ids);
      expect(await bench.applied(orderId)).toEqual(ids);
    }
  });

  it('keeps few records in memory, its place in the group and its offsets while a batch takes longer than its session', async () => {
    const COUNT = 16_000;
    // Six deep partitions share the mark of 4000; one fetch may bring 4 MiB beyond, of records that weigh more than 400 bytes.
    const MOST_OPEN = 4000 + (4 * 1024 * 1024) / 400;
    const { store, open, waiting } = gated();
    const orders = orderIds(COUNT / 20);
    // Before it joins: making so many records keeps this process, in which the member lives, from its heartbeats.
    for (let round = 0; round < 20; round += 5) await captures(Array.from({ length: 5 }, () => orders).flat());
    const committed = await bench.committed(GROUP);
    const replica = await start(store);
    await untilJoined(replica);
    const before = await members();
    await until('a batch is under way', () => waiting() > 0);
    const since = performance.now();
    let mostOpen = 0;
    await until('the session would have ended', async () => {
      mostOpen = Math.max(mostOpen, await openRecords(replica));
      return performance.now() - since > SESSION_TIMEOUT_MS + 500;
    });
    expect(mostOpen).toBeGreaterThan(2000);
    expect(mostOpen).toBeLessThan(MOST_OPEN);
    expect(await members()).toEqual(before);
    expect(await bench.committed(GROUP)).toEqual(committed);
    open();
    await until(
      'all are applied',
      async () => {
        const { rows } = await bench.database.query<{ n: number }>(
          'SELECT sum(count)::int AS n FROM tally WHERE order_id = ANY($1)',
          [orders],
        );
        return rows[0]?.n === COUNT;
      },
      { timeoutMs: 60_000 },
    );
    expect(await members()).toEqual(before);
    // Each new generation would have assigned its partitions anew.
    expect(await scraped(replica.get(Metrics), 'messaging_rebalances_total')).toBe(0);
  }, 120_000);

  it('keeps few bytes in memory when records are large', async () => {
    const COUNT = 40;
    const padding = 'x'.repeat(800_000);
    const { store, open, waiting } = gated();
    const replica = await start(store);
    await untilJoined(replica);
    const orderId = newId<OrderId>();
    const records = Array.from({ length: COUNT }, () => recordFor(CapturePayment, { orderId }));
    for (const record of records) {
      await bench.topics.send([{ ...record, value: JSON.stringify({ orderId, padding }) }]);
    }
    await until('a batch is under way', () => waiting() > 0);
    let before = -1;
    const isStill = async (): Promise<boolean> => {
      const now = await openRecords(replica);
      const isSame = now === before;
      before = now;
      return isSame;
    };
    // Many times as long as a fetch that brings something.
    await until('no more is fetched', isStill, { everyMs: 1000 });
    // 16 MiB, and the 4 MiB that one fetch may bring beyond.
    expect(before).toBeLessThan((20 * 1024 * 1024) / padding.length);
    open();
    const ids = records.map(({ id }) => id);
    await bench.untilApplied(orderId, ids);
    expect(await bench.applied(orderId)).toEqual(ids);
  });

  it.each([
    [
      'settles',
      (): Handler =>
        decides({ hears: [Bug], store: tallyStore as never, decide: (state) => ({ state, messages: [] }) }),
    ],
    [
      'receives',
      (): Handler =>
        performs({
          hears: [Bug],
          store: tallyStore as never,
          perform: () => Promise.resolve(),
          decide: (state) => ({ state, messages: [] }),
        }),
    ],
  ])('that dies of a bug when it %s is reported once and never ready again', async (_when, handler) => {
    const group = `test.bug-${newId()}`;
    await bench.topics.create([group]);
    const orderId = newId<OrderId>();
    const record = recordFor(CapturePayment, { orderId });
    await bench.topics.send([
      { ...record, topic: Bug.topic.name, headers: { ...record.headers, ce_type: Bug.wireType } },
    ]);
    const replica = await bench.start({ [group]: handler() });
    await until('it is reported', () => replica.fatal.length > 0);
    expect(replica.fatal.map(({ message }) => message)).toEqual([expect.stringContaining('the contract has a bug')]);
    const { ready, checks } = await replica.health.ready();
    expect(ready).toBe(false);
    expect(checks[`group ${group}`]).toContain('died');
  });

  it('gives no message up for a table that is missing: it dies for good, and another goes on when the table is there', async () => {
    const orderId = newId<OrderId>();
    await bench.database.query('ALTER TABLE tally RENAME TO elsewhere');
    const dead = await start();
    const ids = await captures([orderId, orderId]);
    await until('it is reported', () => dead.fatal.length > 0);
    await bench.database.query('ALTER TABLE elsewhere RENAME TO tally');
    await untilJoined(await start());
    // Sharing the partitions with another does not bring it back to life.
    await until('both are members', async () => (await members()).length === 2);
    expect((await dead.health.ready()).checks[`group ${GROUP}`]).toContain('died');
    await dead.stop();
    await bench.untilApplied(orderId, ids);
    expect(await bench.applied(orderId)).toEqual(ids);
    expect((await bench.topics.read(`${GROUP}.dlq`)).filter(({ key }) => key === orderId)).toEqual([]);
  });

  it('loses no dead letter that cannot be stored: it dies before it would pass over the message, and settles it later', async () => {
    const orderId = newId<OrderId>();
    const records = [1, 2, 3].map(() => recordFor(CapturePayment, { orderId }));
    const [before, broken, after] = records.map(({ id }) => id);
    await bench.database.query(`ALTER TABLE messaging.outbox ADD CONSTRAINT no_letters CHECK (topic NOT LIKE '%.dlq')`);
    await bench.topics.send(records.map((record) => (record.id === broken ? { ...record, value: '{' } : record)));
    const replica = await start();
    await until('it is reported', () => replica.fatal.length > 0);
    expect(replica.fatal[0]?.message).toContain('no_letters');
    expect(await bench.applied(orderId)).toEqual([before]);
    await bench.stopReplicas();
    await bench.database.query('ALTER TABLE messaging.outbox DROP CONSTRAINT no_letters');
    await start();
    await bench.untilApplied(orderId, [before ?? '', after ?? '']);
    expect(await bench.applied(orderId)).toEqual([before, after]);
    const [letter] = await bench.letters(GROUP, orderId);
    expect(letter?.headers).toMatchObject({ ce_id: broken, 'dlq-reason': 'bad-json' });
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CapturePayment, newId, type OrderId } from '@millrace/contracts';
import type { Transaction } from '@millrace/database';
import { recordFor } from '../fixtures/index.ts';
import { foldHeard, READ_MODEL_TOPIC, readModel, ReadModelBench } from '../fixtures/read-model.ts';
import { PermanentFailure } from '../handlers/failures.ts';
import { untilLed } from '../kafka/topic-step.ts';
import { TestTopics } from '../testing/test-topics.ts';
import { until } from '../testing/until.ts';
import { differencesOf } from './comparison.ts';
import { startReplay } from './replay-requests.ts';
import { broughtBySwap } from './swapped.ts';

// A killed replica is missed for six seconds, and each test has a topic anew.
jest.setTimeout(120_000);

const GROUP = 'test.read-model';
const asked = { projection: GROUP, askedBy: 'test' };

describe('a replay that cannot have everything', () => {
  let bench: ReadModelBench;

  beforeAll(async () => {
    bench = await ReadModelBench.open(GROUP);
  });
  afterEach(async () => {
    await bench.reset();
  });
  afterAll(async () => {
    await bench.close();
  });

  it('names what retention took, and takes the place of the live read model only if that loss is accepted', async () => {
    await bench.start();
    await bench.sendTwice(30, 2);
    await bench.untilLiveIsComplete();
    await withAdmin(async (admin, topic) => {
      const ends = await admin.fetchTopicOffsets(topic);
      const partitions = ends.map(({ partition, high }) => ({
        partition,
        offset: String(Math.floor(Number(high) / 2)),
      }));
      await admin.deleteTopicRecords({ topic, partitions });
    });
    const whole = await bench.readModel();
    await startReplay(bench.database, asked);
    const { comparison, losses } = await bench.compared();
    expect(differencesOf(comparison)).toBeGreaterThan(0);
    expect(losses).toEqual([
      expect.stringMatching(/^payment\.commands\.v1: the first \d+ records are no longer in the log$/),
    ]);
    const refused = await bench.swapped();
    expect(refused).toMatchObject({ state: 'caught-up', problem: expect.stringContaining('no longer in the log') });
    expect(await bench.readModel()).toEqual(whole);
    expect((await bench.swapped({ acceptsLoss: true })).state).toBe('swapped');
    expect(await bench.readModel()).not.toEqual(whole);
    await bench.expectedModel();
    await bench.sendTwice(5, 2);
    // All of each order, not one of its messages: the live projection goes on.
    await bench.untilLiveIsComplete();
  });

  it('reads from a moment on, says what it left, and is no more than a comparison unless that loss is accepted', async () => {
    await bench.start();
    await bench.sendTwice(10, 1);
    await bench.untilLiveIsComplete();
    const [{ now } = { now: new Date() }] = (
      await bench.database.query<{ now: Date }>('SELECT clock_timestamp() AS now')
    ).rows;
    const later = new Date(Math.max(now.getTime(), Date.now()) + 1);
    await until('a later moment', () => Date.now() > later.getTime());
    const orders = await bench.sendTwice(7, 3);
    await bench.untilLiveIsComplete();
    await startReplay(bench.database, { ...asked, from: later });
    const { comparison, losses } = await bench.compared();
    expect(comparison.tables).toMatchObject([
      { live: 17, shadow: orders.length, onlyLive: 10, different: 0 },
      { different: 1 },
    ]);
    expect(losses).toEqual([expect.stringMatching(/20 records before the chosen time are not read/)]);
    expect((await bench.swapped()).problem).toContain('before the chosen time');
    expect((await bench.readModel()).length).toBe(17);
  });

  it('fails when the projection writes a table that it does not name, and nothing is written there', async () => {
    const writesElsewhere = async (tx: Transaction, messages: Parameters<typeof foldHeard>[1]): Promise<void> => {
      await tx.query('INSERT INTO elsewhere SELECT id FROM unnest($1::uuid[]) AS id', [messages.map(({ id }) => id)]);
      await foldHeard(tx, messages);
    };
    await bench.start(readModel(writesElsewhere));
    await bench.sendTwice(5, 2);
    await bench.untilLiveIsComplete();
    await bench.database.query('DELETE FROM elsewhere');
    await startReplay(bench.database, asked);
    expect((await bench.untilState('failed')).problem).toMatch(/writes public\.elsewhere, which it does not name/);
    expect((await bench.database.query('SELECT FROM elsewhere')).rowCount).toBe(0);
    await bench.expectedModel();
  });

  it('fails, and says how to help it, when a table of the live read model is gone', async () => {
    await bench.start();
    await bench.database.query('ALTER TABLE sum RENAME TO sum_is_gone');
    try {
      await startReplay(bench.database, asked);
      expect((await bench.untilState('failed')).problem).toContain('the table sum does not exist: create it again');
    } finally {
      await bench.database.query('ALTER TABLE sum_is_gone RENAME TO sum');
    }
  });

  it('applies what the live projection gave up, when that works now; a redrive of it is told that it is in already', async () => {
    const refused = newId<OrderId>();
    const isLive = refusing(
      (orderId) => orderId === refused,
      () => new PermanentFailure('not-now', 'refused'),
    );
    await bench.start(readModel(isLive));
    await bench.topics.send([recordFor(CapturePayment, { orderId: refused })]);
    const orders = await bench.sendTwice(5, 2);
    await until('its neighbours are projected', async () => (await bench.readModel()).length === orders.length);
    await bench.untilLiveHasReadAll();
    const failedAt = new Date();
    await startReplay(bench.database, asked);
    const { comparison } = await bench.compared();
    expect(comparison.tables).toMatchObject([{ live: 5, shadow: 6, onlyShadow: 1, different: 0 }, { different: 1 }]);
    expect((await bench.swapped()).state).toBe('swapped');
    await bench.expectedModel();
    const record = (await bench.topics.read(READ_MODEL_TOPIC)).find(({ key }) => key === refused);
    if (record === undefined) throw new Error('the record is gone');
    const { topic, partition, offset } = record;
    expect(await broughtBySwap(bench.database, GROUP, { topic, partition, offset, failedAt })).toBeInstanceOf(Date);
    const muchLater = new Date(Date.now() + 60_000);
    expect(
      await broughtBySwap(bench.database, GROUP, { topic, partition, offset, failedAt: muchLater }),
    ).toBeUndefined();
    expect(
      await broughtBySwap(bench.database, GROUP, { topic, partition, offset: '999999', failedAt }),
    ).toBeUndefined();
  });

  it('applies what is parked in the live projection, which parks it no more after the swap; what fails in both stays parked, in order', async () => {
    const [liveOnly, both] = [newId<OrderId>(), newId<OrderId>()];
    const records = [liveOnly, both, liveOnly, both, both].map((orderId) => recordFor(CapturePayment, { orderId }));
    const firstOfBoth = records[1]?.id;
    let isRepaired = false;
    await bench.start(
      readModel(async (tx, messages) => {
        const fails = (orderId: string): boolean => orderId === both || orderId === liveOnly;
        await refusing(
          (orderId) => !isRepaired && fails(orderId),
          () => new Error('not now'),
        )(tx, messages, async () => {
          // Only the first one: those behind it would be applied, if they did not wait for it.
          if (!isRepaired && messages.some(({ id }) => id === firstOfBoth)) throw new Error('not in a shadow either');
          await foldHeard(tx, messages);
        });
      }),
    );
    await bench.topics.send(records);
    const orders = await bench.sendTwice(5, 2);
    await until('the others are projected', async () => (await bench.readModel()).length === orders.length);
    await until('five messages are parked', async () => (await parked()).length === 5);
    await bench.untilLiveHasReadAll();
    await startReplay(bench.database, asked);
    const { notes, losses, leftOut } = await bench.compared();
    expect({ notes, losses, leftOut }).toEqual({
      notes: ['3 messages parked in the live projection are left out and will be tried there'],
      losses: [],
      leftOut: 3,
    });
    expect((await bench.swapped()).state).toBe('swapped');
    expect(await parked()).toEqual([both, both, both]);
    expect((await bench.readModel()).find(({ order_id }) => order_id === liveOnly)?.count).toBe(2);
    isRepaired = true;
    await bench.database.query(
      `UPDATE messaging.parked_key SET next_at = clock_timestamp(), held = false, leased_until = '-infinity'`,
    );
    await until('nothing is parked', async () => (await parked()).length === 0);
    await bench.expectedModel();
  });

  it('counts what fails everywhere as a loss, and tells the first of it', async () => {
    const never = newId<OrderId>();
    await bench.start(
      readModel(async (tx, messages) => {
        if (messages.some(({ body }) => body.orderId === never)) throw new PermanentFailure('never', 'never works');
        await foldHeard(tx, messages);
      }),
    );
    await bench.topics.send([1, 2].map(() => recordFor(CapturePayment, { orderId: never })));
    await bench.sendTwice(5, 2);
    await until('the others are projected', async () => (await bench.readModel()).length === 5);
    await bench.untilLiveHasReadAll();
    await startReplay(bench.database, asked);
    const { losses, comparison } = await bench.compared();
    expect(differencesOf(comparison)).toBe(0);
    expect(losses).toEqual([
      expect.stringMatching(
        /^2 messages could not be applied, the first: payment\.commands\.v1\/\d\/\d+ never: .*never works$/,
      ),
    ]);
    expect((await bench.swapped()).problem).toContain('could not be applied');
  });

  it('gives up when nearly everything fails', async () => {
    await bench.start(
      readModel(async (tx, messages) => {
        const { rows } = await tx.query<{ schema: string }>('SELECT current_schema() AS schema');
        if (rows[0]?.schema !== 'public') throw new Error('a fault of the code');
        await foldHeard(tx, messages);
      }),
    );
    await bench.sendTwice(60, 10);
    await bench.untilLiveIsComplete();
    await startReplay(bench.database, asked);
    expect((await bench.untilState('failed')).problem).toMatch(/more than 500 messages .* a fault of the code/);
    await bench.expectedModel();
  });

  it('reads on in a topic that has grown meanwhile', async () => {
    await bench.start();
    await bench.sendTwice(10, 2);
    await bench.untilLiveIsComplete();
    await startReplay(bench.database, asked);
    await bench.untilState('caught-up');
    await withAdmin(async (admin, topic) => {
      await admin.createPartitions({ topicPartitions: [{ topic, count: 9 }] });
      await untilLed(admin, [{ name: topic, partitions: 9 }], '');
    });
    // Anew, because producers and consumers learn of new partitions a while later.
    await bench.stopReplicas();
    await bench.start();
    const grown = new TestTopics(bench.topics.brokers.join(','), bench.topics.prefix);
    await grown.send(Array.from({ length: 60 }, () => recordFor(CapturePayment, { orderId: newId<OrderId>() })));
    await grown.close();
    await bench.untilLiveIsComplete();
    const { rowCount } = await bench.database.query('SELECT FROM messaging.projection_position WHERE partition > 5');
    expect(rowCount).toBeGreaterThan(0);
    const { comparison, losses } = await bench.compared();
    expect({ differences: differencesOf(comparison), losses }).toEqual({ differences: 0, losses: [] });
    expect(comparison.tables[0]).toMatchObject({ live: 70, shadow: 70 });
  });

  /** Fails in the live tables only, for some orders. */
  function refusing(isRefused: (orderId: string) => boolean, error: () => Error) {
    return async (
      tx: Transaction,
      messages: Parameters<typeof foldHeard>[1],
      otherwise: () => Promise<void> = () => foldHeard(tx, messages),
    ): Promise<void> => {
      const { rows } = await tx.query<{ schema: string }>('SELECT current_schema() AS schema');
      if (rows[0]?.schema === 'public' && messages.some(({ body }) => isRefused(body.orderId))) throw error();
      await otherwise();
    };
  }

  async function parked(): Promise<readonly string[]> {
    const { rows } = await bench.database.query<{ key: string }>(
      'SELECT key FROM messaging.parked_message ORDER BY seq',
    );
    return rows.map(({ key }) => key);
  }

  async function withAdmin(
    work: (admin: ReturnType<typeof bench.topics.kafka.admin>, topic: string) => Promise<unknown>,
  ): Promise<void> {
    const admin = bench.topics.kafka.admin();
    await admin.connect();
    try {
      await work(admin, bench.topics.prefix + READ_MODEL_TOPIC);
    } finally {
      await admin.disconnect();
    }
  }
});

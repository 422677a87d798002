import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, type MessageOf, newId, type OrderId, VoidPayment } from '@millrace/contracts';
import type { Transaction } from '@millrace/database';
import { recordFor, type TestReplica, Workbench } from '../fixtures/index.ts';
import { type Handler, projects } from '../handlers/handler.ts';
import { until } from '../testing/until.ts';
import { resetProjection } from './projection-position.ts';

const GROUP = 'test.projection';
const TOPIC = 'payment.commands.v1';

const READ_MODEL = `CREATE TABLE heard (order_id uuid PRIMARY KEY, count int NOT NULL CHECK (count < 1000), ids jsonb NOT NULL)`;

describe('a projection', () => {
  let bench: Workbench;

  beforeAll(async () => {
    bench = await Workbench.open([GROUP], READ_MODEL);
  });
  afterEach(async () => {
    await bench.stopReplicas();
    await bench.database.transaction((tx) => empty(tx));
  });
  afterAll(async () => {
    await bench.close();
  });

  const empty = async (tx: Transaction): Promise<void> => {
    await tx.query('TRUNCATE heard');
    await resetProjection(tx, GROUP);
  };
  const counting = (before: () => Promise<void> = () => Promise.resolve()): Handler =>
    projects({
      hears: [CapturePayment],
      retry: { attempts: 2, firstDelayMs: 20 },
      project: async (tx, messages: readonly MessageOf<typeof CapturePayment>[]) => {
        await before();
        for (const { id, body } of messages) {
          await tx.query(
            `INSERT INTO heard VALUES ($1, 1, jsonb_build_array($2::text))
             ON CONFLICT (order_id) DO UPDATE SET count = heard.count + 1, ids = heard.ids || excluded.ids`,
            [body.orderId, id],
          );
        }
      },
    });
  const start = (handler = counting()): Promise<TestReplica> => bench.start({ [GROUP]: handler });
  const readModel = async (): Promise<readonly { order_id: string; count: number; ids: string[] }[]> =>
    (
      await bench.database.query<{ order_id: string; count: number; ids: string[] }>(
        'SELECT * FROM heard ORDER BY order_id',
      )
    ).rows;
  const positions = async (): Promise<ReadonlyMap<string, string>> => {
    const { rows } = await bench.database.query<{ place: string; next_offset: string }>(
      `SELECT topic || '/' || partition AS place, next_offset FROM messaging.projection_position WHERE projection = $1`,
      [GROUP],
    );
    return new Map(rows.map(({ place, next_offset }) => [place, next_offset]));
  };
  const total = async (): Promise<number> => (await readModel()).reduce((sum, { count }) => sum + count, 0);
  const logged = async (): Promise<number> => {
    const read = await bench.topics.read(TOPIC);
    return new Set(
      read
        .filter(({ headers }) => headers['ce_type'] === CapturePayment.wireType)
        .map(({ headers }) => headers['ce_id']),
    ).size;
  };
  const untilCaughtUp = async (): Promise<void> => {
    const count = await logged();
    await until(`${count} messages are projected`, async () => (await total()) === count);
  };

  it('is the same after it was emptied and projected again from the first record, and counts a repeated record once', async () => {
    const orders = Array.from({ length: 20 }, () => newId<OrderId>());
    const records = Array.from({ length: 10 }, () =>
      orders.map((orderId) => recordFor(CapturePayment, { orderId })),
    ).flat();
    await bench.topics.send([...records, ...records]);
    await start();
    await untilCaughtUp();
    const last = recordFor(CapturePayment, { orderId: newId<OrderId>() });
    await bench.topics.send([...records, last]);
    await untilCaughtUp();
    const before = (await readModel()).filter(({ order_id }) => order_id !== last.key);
    expect(before.map(({ count }) => count)).toEqual(orders.map(() => 10));
    const committed = await until('offsets are committed', async () => {
      const offsets = await bench.committed(GROUP);
      return offsets.size > 0 && offsets;
    });
    await bench.stopReplicas();
    await bench.database.transaction((tx) => empty(tx));
    expect(await readModel()).toEqual([]);
    // Kafka would go on where it stands: nothing would ever be read again.
    expect((await bench.committed(GROUP)).size).toBeGreaterThanOrEqual(committed.size);
    await start();
    await untilCaughtUp();
    expect((await readModel()).filter(({ order_id }) => order_id !== last.key)).toEqual(before);
  });

  it('stores its position with the read model, and believes it more than Kafka', async () => {
    const orderId = newId<OrderId>();
    const [first] = await bench.send(CapturePayment, [{ orderId }, { orderId }]);
    await start();
    await untilCaughtUp();
    const places = await positions();
    const own = (await bench.topics.read(TOPIC)).filter(({ key }) => key === orderId);
    const place = `${TOPIC}/${own[0]?.partition}`;
    expect(places.get(place)).toBe(String(Number(own.at(-1)?.offset) + 1));
    await bench.stopReplicas();
    // The database comes back from an older backup: one message less, in all tables alike.
    await bench.database.transaction(async (tx) => {
      await tx.query(`UPDATE heard SET count = 1, ids = jsonb_build_array($2::text) WHERE order_id = $1`, [
        orderId,
        first,
      ]);
      await tx.query('DELETE FROM messaging.inbox WHERE consumer_group = $1 AND message_id = $2', [
        GROUP,
        own.at(-1)?.headers['ce_id'],
      ]);
      await tx.query(
        'UPDATE messaging.projection_position SET next_offset = $3 WHERE projection = $1 AND topic || $4 || partition = $2',
        [GROUP, place, own.at(-1)?.offset, '/'],
      );
    });
    await start();
    await untilCaughtUp();
    expect((await readModel()).find(({ order_id }) => order_id === orderId)?.ids).toEqual(
      own.map(({ headers }) => headers['ce_id']),
    );
  });

  it('tells Kafka where it stands when it goes on, although nothing comes: a lost commit does not look like lag', async () => {
    await bench.send(CapturePayment, [{ orderId: newId<OrderId>() }]);
    await start();
    await untilCaughtUp();
    await bench.stopReplicas();
    const admin = bench.topics.kafka.admin();
    await admin.connect();
    await admin.deleteGroups([bench.topics.prefix + GROUP]);
    await admin.disconnect();
    await start();
    await until('the offsets are those of the read model', async () => {
      const [committed, own] = [await bench.committed(GROUP), await positions()];
      return own.size > 0 && [...own].every(([place, offset]) => committed.get(place) === offset);
    });
  });

  it('stores neither read model nor position when the batch fails', async () => {
    const orderId = newId<OrderId>();
    let isBroken = true;
    const handler = counting(async () => {
      // As the database itself says it: an outage, so that the batch is tried again.
      if (isBroken) throw Object.assign(new Error('the server is shutting down'), { code: '57P01' });
    });
    const replica = await start(handler);
    await bench.send(CapturePayment, [{ orderId }]);
    await until('the batch fails', async () =>
      String((await replica.health.ready()).checks[`group ${GROUP}`]).includes('database'),
    );
    expect(await readModel()).toEqual([]);
    expect(await positions()).toEqual(new Map());
    isBroken = false;
    await untilCaughtUp();
    expect((await positions()).size).toBeGreaterThan(0);
  });

  it('gives up the message that the read model refuses, and projects its neighbours', async () => {
    const [full, fine] = [newId<OrderId>(), newId<OrderId>()];
    await bench.database.query(`INSERT INTO heard VALUES ($1, 999, '[]')`, [full]);
    const records = [fine, full, fine].map((orderId) => recordFor(CapturePayment, { orderId }));
    await bench.topics.send([...records, recordFor(VoidPayment, { orderId: fine })]);
    await start();
    const [letter] = await bench.letters(GROUP, full);
    expect(letter?.headers['dlq-error']).toContain('heard_count_check');
    await until(
      'the neighbours are projected',
      async () => (await readModel()).find(({ order_id }) => order_id === fine)?.count === 2,
    );
  });
});

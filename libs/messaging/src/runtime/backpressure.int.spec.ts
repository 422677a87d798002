import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId } from '@millrace/contracts';
import { Metrics } from '@millrace/observability';
import { recordFor, scraped, type TestReplica, Workbench } from '../fixtures/index.ts';
import { type Handler, projects } from '../handlers/handler.ts';
import type { OutgoingRecord } from '../kafka/record-producer.ts';
import { until } from '../testing/until.ts';

const TEST_TIMEOUT_MS = 120_000;
const GROUP = 'test.readers';
const TOPIC = 'payment.commands.v1';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What the process holds in its heap and in buffers beside it, once nothing in it is garbage. */
function heldBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('a consumer that is slower than its producers', () => {
  let bench: Workbench;
  /** What the handler waits for; undefined lets it through. */
  let gate: PromiseWithResolvers<void> | undefined;
  let waiting = 0;

  beforeAll(async () => {
    bench = await Workbench.open([GROUP], 'CREATE TABLE arrivals (seq serial PRIMARY KEY, order_id uuid)');
  });
  afterEach(async () => {
    gate?.resolve();
    gate = undefined;
    await bench.stopReplicas();
  });
  afterAll(async () => {
    await bench.close();
  });

  const reader: Handler = projects({
    hears: [CapturePayment],
    lingerMs: 0,
    project: async (tx, messages) => {
      waiting += messages.length;
      await gate?.promise;
      waiting -= messages.length;
      await tx.query('INSERT INTO arrivals (order_id) SELECT unnest($1::uuid[])', [
        messages.map(({ body }) => body.orderId),
      ]);
    },
  });
  const start = async (): Promise<TestReplica> => {
    const replica = await bench.start({ [GROUP]: reader });
    await until('it joined', async () => (await replica.health.ready()).checks[`group ${GROUP}`] === 'ok');
    return replica;
  };
  const shown = async (replica: TestReplica, name: string, labels = {}): Promise<number> =>
    (await scraped(replica.get(Metrics), name, { group: GROUP, ...labels })) ?? Number.NaN;
  const send = async (orderId: OrderId, count: number, padding = 0): Promise<void> => {
    const of = (): OutgoingRecord => {
      const record = recordFor(CapturePayment, { orderId });
      const body = JSON.stringify({ orderId, padding: 'x'.repeat(padding) });
      return padding === 0 ? record : { ...record, value: body };
    };
    for (let sent = 0; sent < count; sent += 1000) {
      await bench.topics.send(Array.from({ length: Math.min(1000, count - sent) }, of));
    }
  };
  const arrived = async (orderIds: readonly OrderId[]): Promise<number> => {
    const { rows } = await bench.database.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM arrivals WHERE order_id = ANY($1)',
      [orderIds],
    );
    return rows[0]?.n ?? 0;
  };
  /** Two orders whose messages are in different partitions. */
  const apart = async (): Promise<readonly [OrderId, OrderId]> => {
    const one = newId<OrderId>();
    for (;;) {
      const other = newId<OrderId>();
      await send(one, 1);
      await send(other, 1);
      const read = await bench.topics.read(TOPIC);
      const partitions = [one, other].map((order) => read.find(({ key }) => key === order)?.partition);
      if (partitions[0] !== partitions[1]) return [one, other];
    }
  };

  it(
    'reads a quiet partition at once, however much another one holds',
    async () => {
      const [deep, quiet] = await apart();
      const replica = await start();
      await until('the group is idle', async () => (await arrived([deep, quiet])) >= 2);
      gate = Promise.withResolvers<void>();
      await send(deep, 12_000);
      await until('a batch of the deep partition is under way', () => waiting > 0);
      await until(
        'no more of the deep partition is fetched',
        async () => (await shown(replica, 'messaging_paused_partitions', { reason: 'high-water' })) === 1,
      );
      const received = await shown(replica, 'messaging_consumed_total');
      await send(quiet, 1);
      await until(
        'the quiet partition is fetched nevertheless',
        async () => (await shown(replica, 'messaging_consumed_total')) > received,
      );
      gate.resolve();
      gate = undefined;
      await until('all is read', async () => (await arrived([deep, quiet])) >= 12_003, { timeoutMs: 100_000 });
      const { rows } = await bench.database.query<{ before: number }>(
        `SELECT count(*)::int AS before FROM arrivals
        WHERE order_id = $1 AND seq < (SELECT max(seq) FROM arrivals WHERE order_id = $2)
          AND seq > (SELECT min(seq) FROM arrivals WHERE order_id = $2)`,
        [deep, quiet],
      );
      // What was in work already, and the batch that it shares: not the thousands that were received before it.
      expect(rows[0]?.before).toBeLessThan(1100);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'holds little of a backlog in memory, at a standstill and while it works it off',
    async () => {
      const COUNT = 60_000;
      const PADDING = 500;
      const orderIds = Array.from({ length: 12 }, () => newId<OrderId>());
      const replica = await start();
      gate = Promise.withResolvers<void>();
      const before = heldBytes();
      for (const orderId of orderIds) await send(orderId, COUNT / orderIds.length, PADDING);
      await until(
        'as much is fetched as may be',
        async () => (await shown(replica, 'messaging_paused_partitions', { reason: 'high-water' })) >= 2,
      );
      const standing = heldBytes() - before;
      gate.resolve();
      gate = undefined;
      const most = { records: 0, bytes: 0, held: 0 };
      await until(
        'all is read',
        async () => {
          most.records = Math.max(most.records, await shown(replica, 'messaging_open_records'));
          most.bytes = Math.max(most.bytes, await shown(replica, 'messaging_open_bytes'));
          most.held = Math.max(most.held, heldBytes() - before);
          return (await arrived(orderIds)) >= COUNT;
        },
        { timeoutMs: 100_000, everyMs: 300 },
      );
      expect(await arrived(orderIds)).toBe(COUNT);
      // The mark, and the 4 MiB that one fetch may bring beyond, of records of at least 500 bytes.
      expect(most.records).toBeLessThan(4000 + (4 * 1024 * 1024) / PADDING);
      expect(most.bytes).toBeLessThan(20 * 1024 * 1024);
      // All of it weighs more than a hundred.
      expect(standing / 2 ** 20).toBeLessThan(60);
      expect(most.held / 2 ** 20).toBeLessThan(60);
    },
    TEST_TIMEOUT_MS,
  );
});

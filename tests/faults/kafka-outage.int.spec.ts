import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId, PaymentCaptured } from '@millrace/contracts';
import { type KafkaCluster, startKafka, temporaryFolder } from '@millrace/embedded';
import { type Handler, LocalTransactions, projects } from '@millrace/messaging';
import { tally, TALLY_TABLE, tallyStore, Workbench } from '@millrace/messaging/fixtures';
import { heard, until } from '@millrace/messaging/testing';

const GROUP = 'test.listener';

// Longer than a member needs to finish and to try its farewell, shorter than an orchestrator's patience.
const STOPPED_WITHIN_MS = 12_000;

// A broker comes back, members join anew and backoffs end: seconds each, and many of them on a busy machine.
const TEST_TIMEOUT_MS = 240_000;
const PATIENCE = { timeoutMs: 60_000 };

describe('a broker that is killed under load', () => {
  /** The last thing started is the first to end, also when starting failed halfway. */
  const ends: (() => Promise<void>)[] = [];
  let kafka: KafkaCluster;
  let bench: Workbench;

  beforeAll(async () => {
    const folder = temporaryFolder('millrace-outage');
    ends.unshift(() => folder.remove());
    kafka = await startKafka({ dir: folder.path });
    ends.unshift(() => kafka.stop());
    bench = await Workbench.open(
      [GROUP],
      `${TALLY_TABLE}; CREATE TABLE arrivals (seq serial PRIMARY KEY, order_id uuid, amount int)`,
      kafka.brokers,
    );
    ends.unshift(() => bench.close());
  });
  afterAll(async () => {
    for (const end of ends) await end();
  });

  const listener: Handler = projects({
    hears: [PaymentCaptured],
    project: async (tx, messages) => {
      await tx.query('INSERT INTO arrivals (order_id, amount) SELECT * FROM unnest($1::uuid[], $2::int[])', [
        messages.map(({ body }) => body.orderId),
        messages.map(({ body }) => body.amount.amountMinor),
      ]);
    },
  });
  const broker = (): KafkaCluster['nodes'][number] => kafka.nodes[0] as KafkaCluster['nodes'][number];

  it(
    'loses nothing: the outbox keeps what was said and sends it afterwards, in order per key, and its readers go on',
    async () => {
      const orders = Array.from({ length: 20 }, () => newId<OrderId>());
      const replica = await bench.start({ [GROUP]: listener });
      const local = replica.get(LocalTransactions);
      const sayForEach = (): Promise<unknown> =>
        local.run(({ decide }) =>
          decide(
            { store: tallyStore, decide: tally },
            orders.map((orderId) => heard(CapturePayment, { orderId })),
          ),
        );
      const arrived = async (): Promise<number> => {
        const { rows } = await bench.database.query<{ n: number }>('SELECT count(*)::int AS n FROM arrivals');
        return rows[0]?.n ?? 0;
      };
      let rounds = 0;
      const say = async (count: number): Promise<void> => {
        for (let said = 0; said < count; said++, rounds++) await sayForEach();
      };
      await say(10);
      await until('the listener hears', async () => (await arrived()) > 0, PATIENCE);
      const underLoad = say(30);
      await broker().kill('SIGKILL');
      await underLoad;
      // Whoever decides does not notice.
      await say(30);
      const waiting = await until(
        'readiness tells',
        async () => {
          const { checks } = await replica.health.ready();
          return checks['outbox'] !== 'ok' && checks['outbox'];
        },
        PATIENCE,
      );
      expect(waiting).toContain('Kafka');
      await broker().start();
      await say(10);
      await until('everything arrived', async () => (await arrived()) >= rounds * orders.length, PATIENCE);
      const { rows } = await bench.database.query<{ order_id: OrderId; amounts: number[] }>(
        'SELECT order_id, array_agg(amount ORDER BY seq) AS amounts FROM arrivals GROUP BY order_id',
      );
      expect(rows).toHaveLength(orders.length);
      for (const { amounts } of rows) expect(amounts).toEqual(Array.from({ length: rounds }, (_, index) => index + 1));
      await until('it is ready again', async () => (await replica.health.ready()).ready, PATIENCE);
      expect(replica.fatal).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'keeps no process from stopping, nor from starting and waiting for the broker',
    async () => {
      const running = await bench.start({ [GROUP]: listener });
      await until('it works', async () => (await running.health.ready()).ready, PATIENCE);
      await broker().kill('SIGKILL');
      const started = await bench.start({ [GROUP]: listener });
      await until('it says why it is not ready', async () => {
        const { checks } = await started.health.ready();
        return checks[`group ${GROUP}`] !== 'ok';
      });
      for (const replica of [running, started]) {
        const since = performance.now();
        await replica.stop();
        expect(performance.now() - since).toBeLessThan(STOPPED_WITHIN_MS);
      }
      const waits = await bench.start({ [GROUP]: listener });
      await broker().start();
      await until('it joins when the broker is there', async () => (await waits.health.ready()).ready, PATIENCE);
      expect(waits.fatal).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});

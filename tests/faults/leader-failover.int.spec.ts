import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId } from '@millrace/contracts';
import { type KafkaCluster, startKafka, temporaryFolder } from '@millrace/embedded';
import { decides, LocalTransactions } from '@millrace/messaging';
import { recordFor, tally, tallyStore, underLoad, Workbench } from '@millrace/messaging/fixtures';
import { heard, until } from '@millrace/messaging/testing';

const GROUP = 'test.failover';
const TOPIC = 'payment.events.v1';

// Three brokers share two cores while they start, and the first start on a machine also makes the class archive.
const START_WITHIN_MS = 120_000;

// A killed node is noticed after three seconds; the others need a few more to agree, on a busy machine.
const PATIENCE = { timeoutMs: 60_000 };
const TEST_TIMEOUT_MS = 300_000;

describe('three brokers', () => {
  /** The last thing started is the first to end, also when starting failed halfway. */
  const ends: (() => Promise<void>)[] = [];
  let kafka: KafkaCluster;
  let bench: Workbench;

  beforeAll(async () => {
    const folder = temporaryFolder('millrace-failover');
    ends.unshift(() => folder.remove());
    kafka = await startKafka({ dir: folder.path, nodes: 3 });
    ends.unshift(() => kafka.stop());
    bench = await Workbench.open([GROUP], undefined, kafka.brokers);
    ends.unshift(() => bench.close());
  }, START_WITHIN_MS);
  afterEach(async () => {
    await bench.stopReplicas();
  });
  afterAll(async () => {
    for (const end of ends) await end();
  });

  it(
    'get every row of the outbox, in order per key, while the leaders of its partitions are killed one after the other',
    async () => {
      const orders = Array.from({ length: 60 }, () => newId<OrderId>());
      const said = new Map(orders.map((orderId) => [orderId as string, [] as string[]]));
      const local = (await bench.start({})).get(LocalTransactions);
      const waiting = async (): Promise<number> => {
        const { rows } = await bench.database.query<{ n: number }>('SELECT count(*)::int AS n FROM messaging.outbox');
        return rows[0]?.n ?? 0;
      };
      /** The newest row now will have been acknowledged when this resolves. */
      const untilSendingGoesOn = async (): Promise<void> => {
        const { rows } = await bench.database.query<{ seq: string | null }>(
          'SELECT max(seq) AS seq FROM messaging.outbox',
        );
        await until(
          'sending goes on',
          async () => {
            const oldest = await bench.database.query<{ seq: string | null }>(
              'SELECT min(seq) AS seq FROM messaging.outbox',
            );
            return BigInt(oldest.rows[0]?.seq ?? Number.MAX_SAFE_INTEGER) > BigInt(rows[0]?.seq ?? '0');
          },
          PATIENCE,
        );
      };
      const sayForEach = async (): Promise<void> => {
        const messages = orders.map((orderId) => heard(CapturePayment, { orderId }));
        await local.run(({ decide }) => decide({ store: tallyStore, decide: tally }, messages));
        for (const { id, key } of messages) said.get(key)?.push(id);
        await until('the outbox is short', async () => (await waiting()) < 5000, PATIENCE);
      };
      await underLoad(sayForEach, async () => {
        for (const node of kafka.nodes) {
          await untilSendingGoesOn();
          await node.kill('SIGKILL');
          await untilSendingGoesOn();
          await node.start();
        }
      });
      await until('everything is sent', async () => (await waiting()) === 0, PATIENCE);
      const arrived = new Map(orders.map((orderId) => [orderId as string, [] as string[]]));
      for (const { key, headers } of await bench.topics.read(TOPIC))
        arrived.get(key ?? '')?.push(headers['causation-id'] ?? '');
      for (const [orderId, ids] of said) {
        const once = (arrived.get(orderId) ?? []).filter((id, index, all) => all.indexOf(id) === index);
        expect(once).toEqual(ids);
      }
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'can be restarted one after the other without a reader that lags skipping anything',
    async () => {
      const orders = Array.from({ length: 60 }, () => newId<OrderId>());
      const sent = new Map(orders.map((orderId) => [orderId, [] as string[]]));
      // Much is in memory and not settled whenever a leader moves: all of that must be delivered again.
      const slow: typeof tallyStore = {
        load: async (db, messages, options) => {
          await db.query('SELECT pg_sleep(0.1)');
          return tallyStore.load(db, messages, options);
        },
      };
      const replica = await bench.start({ [GROUP]: decides({ hears: [CapturePayment], store: slow, decide: tally }) });
      const send = async (): Promise<void> => {
        const records = Array.from({ length: 10 }, () =>
          orders.map((orderId) => recordFor(CapturePayment, { orderId })),
        );
        // The client may give up before the cluster has agreed on the next leader: then all of it comes again, in the same order.
        await until(
          'records are acknowledged',
          () =>
            bench.topics.send(records.flat()).then(
              () => true,
              () => false,
            ),
          PATIENCE,
        );
        for (const { id, key } of records.flat()) sent.get(key as OrderId)?.push(id);
      };
      for (const node of kafka.nodes) {
        for (let burst = 0; burst < 5; burst++) await send();
        await node.kill('SIGTERM');
        await send();
        await node.start();
      }
      const count = [...sent.values()].flat().length;
      await until(
        'all are applied',
        async () => {
          const { rows } = await bench.database.query<{ n: number }>(
            'SELECT coalesce(sum(count), 0)::int AS n FROM tally WHERE order_id = ANY($1)',
            [orders],
          );
          return rows[0]?.n === count;
        },
        PATIENCE,
      );
      for (const [orderId, ids] of sent) expect(await bench.applied(orderId)).toEqual(ids);
      expect(replica.fatal).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});

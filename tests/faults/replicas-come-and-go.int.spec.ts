import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId } from '@millrace/contracts';
import { decides } from '@millrace/messaging';
import { scraped, tally, TALLY_TABLE, tallyStore, underLoad, Workbench } from '@millrace/messaging/fixtures';
import { until } from '@millrace/messaging/testing';
import { TopicView } from '@millrace/messaging/kafka';
import { createLogger, Metrics } from '@millrace/observability';

const GROUP = 'test.shared';
const TOPIC = 'payment.commands.v1';
const PARTITIONS = 6;

/** Each change of a tally, and when it was committed at the earliest. */
const PROGRESS = `
  CREATE TABLE progress (order_id uuid NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
  CREATE FUNCTION note_progress() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO progress (order_id) VALUES (NEW.order_id); RETURN NULL; END $$;
  CREATE TRIGGER progress AFTER INSERT OR UPDATE ON tally FOR EACH ROW EXECUTE FUNCTION note_progress();`;

// Six changes of the members, each with a join or a farewell: seconds, and many of them on a busy machine.
const TEST_TIMEOUT_MS = 300_000;
const PATIENCE = { timeoutMs: 60_000 };

type Replica = Awaited<ReturnType<Workbench['start']>>;

describe('replicas that come and go under load', () => {
  let bench: Workbench;
  let view: TopicView;

  beforeAll(async () => {
    bench = await Workbench.open([GROUP], `${TALLY_TABLE}; ${PROGRESS}`);
    view = new TopicView({
      brokers: bench.topics.brokers,
      logger: createLogger({ service: 'test', level: 'silent' }),
      topicPrefix: bench.topics.prefix,
      groups: [{ name: GROUP, topics: [TOPIC] }],
    });
  });
  afterAll(async () => {
    await view?.close();
    await bench?.close();
  });

  const start = (): Promise<Replica> =>
    bench.start({ [GROUP]: decides({ hears: [CapturePayment], store: tallyStore, decide: tally }) });
  const sumOf = async (replicas: readonly Replica[], name: string, labels = {}): Promise<number> => {
    const counts = await Promise.all(
      replicas.map((replica) => scraped(replica.get(Metrics), name, { group: GROUP, ...labels })),
    );
    return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  };
  /** Each partition is owned by one of these replicas: so says the broker, and so say they themselves. */
  const untilShared = (among: readonly Replica[]): Promise<unknown> =>
    until(
      `each partition has one owner among ${among.length}`,
      async () => {
        const reader = (await view.look()).flatMap(({ readers }) => readers)[0];
        return (
          reader?.state === 'Stable' &&
          reader.members.length === among.length &&
          reader.partitions.length === PARTITIONS &&
          reader.partitions.every(({ owner }) => owner !== undefined) &&
          (await sumOf(among, 'messaging_assigned_partitions')) === PARTITIONS
        );
      },
      PATIENCE,
    );
  /** The longest time between two changes in one partition. All the while there was something to do in each. */
  const longestPauseMs = async (): Promise<number> => {
    const partitions = new Map((await bench.topics.read(TOPIC)).map(({ key, partition }) => [key ?? '', partition]));
    const { rows } = await bench.database.query<{ ms: number }>(
      `SELECT max(ms)::int AS ms FROM (
         SELECT 1000 * extract(epoch FROM at - lag(at) OVER (PARTITION BY p.partition ORDER BY at)) AS ms
           FROM progress JOIN unnest($1::uuid[], $2::int[]) AS p(order_id, partition) USING (order_id)) gaps`,
      [[...partitions.keys()], [...partitions.values()]],
    );
    return rows[0]?.ms ?? 0;
  };

  it(
    'own each partition once, keep the order of every key, lose nothing and apply nothing twice',
    async () => {
      const orders = Array.from({ length: 60 }, () => newId<OrderId>());
      const sent = new Map(orders.map((orderId) => [orderId, [] as string[]]));
      const load = async (): Promise<void> => {
        const ids = await bench.send(
          CapturePayment,
          orders.map((orderId) => ({ orderId })),
        );
        orders.forEach((orderId, index) => sent.get(orderId)?.push(ids[index] ?? ''));
        await until(
          'the load is bearable',
          async () => {
            const { rows } = await bench.database.query<{ n: number }>(
              'SELECT coalesce(sum(count), 0)::int AS n FROM tally',
            );
            return (sent.get(orders[0] as OrderId)?.length ?? 0) * orders.length - (rows[0]?.n ?? 0) < 2_000;
          },
          PATIENCE,
        );
      };
      const ever: Replica[] = [];
      let live: readonly Replica[] = [];
      const come = async (count: number): Promise<void> => {
        const more = await Promise.all(Array.from({ length: count }, start));
        ever.push(...more);
        live = [...live, ...more];
        await untilShared(live);
      };
      const go = async (count: number): Promise<void> => {
        const gone = live.slice(0, count);
        live = live.slice(count);
        await Promise.all(gone.map((replica) => replica.stop()));
        await untilShared(live);
      };
      await come(1);
      await underLoad(load, async () => {
        await come(1);
        await come(1);
        await go(1);
        await come(2);
        await go(3);
        await come(1);
      });
      for (const [orderId, ids] of sent) {
        await bench.untilApplied(orderId, ids);
        expect(await bench.applied(orderId)).toEqual(ids);
      }
      for (const replica of ever) expect(replica.fatal).toEqual([]);
      const messages = [...sent.values()].flat().length;
      process.stdout.write(
        `six changes of the members with ${messages} messages: ` +
          `${await sumOf(ever, 'messaging_rebalances_total')} assignments changed, ` +
          `${await sumOf(ever, 'messaging_settled_total', { outcome: 'duplicate' })} messages came again, ` +
          `the longest pause of a partition was ${await longestPauseMs()} ms\n`,
      );
    },
    TEST_TIMEOUT_MS,
  );
});

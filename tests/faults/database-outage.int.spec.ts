import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId } from '@millrace/contracts';
import { type PostgresServer, startPostgres, temporaryFolder } from '@millrace/embedded';
import { decides } from '@millrace/messaging';
import { scraped, tally, tallyStore, underLoad, Workbench } from '@millrace/messaging/fixtures';
import { until } from '@millrace/messaging/testing';
import { Metrics } from '@millrace/observability';

const GROUP = 'test.outage';

// Each outage is a crash recovery of the server and the backoff of whoever waited for it; then a backlog is worked off.
const TEST_TIMEOUT_MS = 240_000;
const PATIENCE = { timeoutMs: 60_000 };

describe('a database that is killed under load', () => {
  /** The last thing started is the first to end, also when starting failed halfway. */
  const ends: (() => Promise<void>)[] = [];
  let postgres: PostgresServer;
  let bench: Workbench;

  beforeAll(async () => {
    const folder = temporaryFolder('millrace-outage');
    ends.unshift(() => folder.remove());
    postgres = await startPostgres({ dir: folder.path });
    ends.unshift(() => postgres.stop());
    process.env['MILLRACE_TEST_POSTGRES_URL'] = postgres.superuserUrl;
    bench = await Workbench.open([GROUP]);
    ends.unshift(() => bench.close());
  });
  afterAll(async () => {
    for (const end of ends) await end();
  });

  it(
    'loses, doubles, reorders and dead-letters nothing; the work resumes by itself and readiness tells why it waited',
    async () => {
      const orders = Array.from({ length: 30 }, () => newId<OrderId>());
      const sent = new Map(orders.map((orderId) => [orderId, [] as string[]]));
      const replica = await bench.start({
        [GROUP]: decides({ hears: [CapturePayment], store: tallyStore, decide: tally }),
      });
      const appliedCount = async (): Promise<number> => {
        const { rows } = await bench.database.query<{ n: number }>(
          'SELECT coalesce(sum(count), 0)::int AS n FROM tally',
        );
        return rows[0]?.n ?? 0;
      };
      const checkOf = async (name: string): Promise<string> => (await replica.health.ready()).checks[name] ?? '';
      const shown = (name: string, labels = {}): Promise<number | undefined> =>
        scraped(replica.get(Metrics), name, { group: GROUP, ...labels });
      const sendForEach = async (): Promise<void> => {
        const ids = await bench.send(
          CapturePayment,
          orders.map((orderId) => ({ orderId })),
        );
        orders.forEach((orderId, index) => sent.get(orderId)?.push(ids[index] ?? ''));
      };
      await underLoad(sendForEach, async () => {
        for (let outage = 1; outage <= 2; outage++) {
          const before = await until(
            'work is done',
            async () => {
              const count = await appliedCount();
              return count > outage * 60 && count;
            },
            PATIENCE,
          );
          await postgres.kill();
          await until(
            'the group waits',
            async () => (await checkOf(`group ${GROUP}`)).includes('the database'),
            PATIENCE,
          );
          await until(
            'nothing is fetched',
            async () => (await shown('messaging_paused_partitions', { reason: 'outage' })) === 6,
            PATIENCE,
          );
          await until('the outbox waits', async () => (await checkOf('outbox')).includes('the database'), PATIENCE);
          await postgres.start();
          await until('work goes on', async () => (await appliedCount()) > before, PATIENCE);
          // Not of other reasons: on a crowded machine the load is more than it works off, and memory has its marks.
          await until(
            'the outage pauses nothing',
            async () => (await shown('messaging_paused_partitions', { reason: 'outage' })) === 0,
            PATIENCE,
          );
        }
      });
      const all = [...sent.values()].flat();
      await until('all that was sent is applied', async () => (await appliedCount()) >= all.length, PATIENCE);
      for (const [orderId, ids] of sent) expect(await bench.applied(orderId)).toEqual(ids);
      const said = await until(
        'all is said',
        async () => {
          const read = await bench.topics.read('payment.events.v1');
          return new Set(read.map(({ headers }) => headers['causation-id'])).size >= all.length && read;
        },
        PATIENCE,
      );
      // A relay that died between the send and the delete says it again, under the same id.
      expect(new Set(said.map(({ headers }) => headers['ce_id'])).size).toBe(all.length);
      expect(await bench.topics.read(`${GROUP}.dlq`)).toEqual([]);
      expect(replica.fatal).toEqual([]);
      // It was a member all the time.
      expect(await shown('messaging_rebalances_total')).toBe(0);
      // The relay knows that it sends again only after it has noted what it sent.
      await until('it is ready again', async () => (await replica.health.ready()).ready);
      expect((await replica.health.ready()).checks).toEqual({ outbox: 'ok', [`group ${GROUP}`]: 'ok' });
    },
    TEST_TIMEOUT_MS,
  );
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, type MessageOf, newId, type OrderId } from '@millrace/contracts';
import { Metrics } from '@millrace/observability';
import { recordFor, scraped, tally, TALLY_TABLE, tallyStore, type TestReplica, Workbench } from '../fixtures/index.ts';
import type { DecisionContext } from '../handlers/decision.ts';
import { decides, projects } from '../handlers/handler.ts';
import { until } from '../testing/until.ts';
import { listParked, type ParkedListing } from './operations.ts';

const GROUP = 'test.parked-replicas';
const READERS = 'test.parked-readers';

type Capture = MessageOf<typeof CapturePayment>;

describe('parked messages', () => {
  let bench: Workbench;

  beforeAll(async () => {
    bench = await Workbench.open(
      [GROUP, READERS],
      `${TALLY_TABLE}; CREATE TABLE heard (order_id uuid PRIMARY KEY, count int CHECK (count < 1000), ids jsonb)`,
    );
  });
  afterEach(async () => {
    await bench.stopReplicas();
    await bench.database.query('TRUNCATE messaging.parked_key, messaging.parked_message');
  });
  afterAll(async () => {
    await bench.close();
  });

  const retry = { attempts: 1000, firstDelayMs: 20, maxDelayMs: 100 };
  const start = (check: (message: Capture, context: DecisionContext) => void): Promise<TestReplica> =>
    bench.start({
      [GROUP]: decides({
        hears: [CapturePayment],
        store: tallyStore,
        retry,
        decide: (state, message: Capture, context) => {
          check(message, context);
          return tally(state, message, context);
        },
      }),
    });
  const capture = (...orders: readonly OrderId[]): Promise<readonly string[]> =>
    bench.send(
      CapturePayment,
      orders.map((orderId) => ({ orderId })),
    );
  const parked = async (key: string, group = GROUP): Promise<ParkedListing | undefined> =>
    (await listParked(bench.database, { group, key }))[0];

  it('of a projection keep their order, and leave the others where they belong', async () => {
    const [full, fine] = [newId<OrderId>(), newId<OrderId>()];
    await bench.database.query(`INSERT INTO heard VALUES ($1, 999, '[]')`, [full]);
    const records = [full, fine, full, fine, full].map((orderId) => recordFor(CapturePayment, { orderId }));
    const idsOf = (orderId: OrderId) => records.filter(({ key }) => key === orderId).map(({ id }) => id);
    const heard = async (orderId: OrderId): Promise<readonly string[]> =>
      (await bench.database.query<{ ids: string[] }>('SELECT ids FROM heard WHERE order_id = $1', [orderId])).rows[0]
        ?.ids ?? [];
    await bench.topics.send(records);
    await bench.start({
      [READERS]: projects({
        hears: [CapturePayment],
        retry,
        project: async (tx, messages: readonly Capture[]) => {
          for (const { id, body } of messages) {
            await tx.query(
              `INSERT INTO heard VALUES ($1, 1, jsonb_build_array($2::text))
               ON CONFLICT (order_id) DO UPDATE SET count = heard.count + 1, ids = heard.ids || excluded.ids`,
              [body.orderId, id],
            );
          }
        },
      }),
    });
    await until('the others are projected', async () => (await heard(fine)).length === 2);
    await until('three wait', async () => (await parked(full, READERS))?.messages === 3);
    expect((await parked(full, READERS))?.failure?.error).toContain('heard_count_check');
    await bench.database.query('UPDATE heard SET count = 0 WHERE order_id = $1', [full]);
    await until('they are projected', async () => (await heard(full)).length === 3);
    expect(await heard(full)).toEqual(idsOf(full));
    expect(await heard(fine)).toEqual(idsOf(fine));
  });

  it('survive the end of their replica, queue what comes before another one starts, and are applied by that', async () => {
    const orderId = newId<OrderId>();
    let isBroken = true;
    const check = ({ key }: Capture): void => {
      if (isBroken && key === orderId) throw new Error('not yet');
    };
    const first = await start(check);
    const early = await capture(orderId, orderId);
    await until('both are parked', async () => (await parked(orderId))?.messages === 2);
    await first.stop();
    const late = await capture(orderId);
    await start(check);
    await until('the third queues', async () => (await parked(orderId))?.messages === 3);
    await until('the first is tried by the second replica', async () => ((await parked(orderId))?.attempts ?? 0) > 2);
    isBroken = false;
    await bench.untilApplied(orderId, [...early, ...late]);
    expect(await bench.applied(orderId)).toEqual([...early, ...late]);
  });

  it('are shared by two replicas under load: each message once, in order per key, whoever tries it again', async () => {
    const orders = Array.from({ length: 20 }, () => newId<OrderId>());
    const sent = new Map(orders.map((orderId) => [orderId, [] as string[]]));
    let failures = 0;
    const check = ({ key }: Capture): void => {
      if (!sent.has(key as OrderId) || Math.random() > 0.1) return;
      failures += 1;
      throw new Error('now and then');
    };
    await start(check);
    let other = await start(check);
    for (let round = 0; round < 12; round++) {
      const ids = await capture(...orders);
      orders.forEach((orderId, index) => sent.get(orderId)?.push(ids[index] ?? ''));
      if (round !== 6) continue;
      await other.stop();
      other = await start(check);
    }
    for (const [orderId, ids] of sent) {
      await bench.untilApplied(orderId, ids);
      expect(await bench.applied(orderId)).toEqual(ids);
    }
    expect(failures).toBeGreaterThan(5);
    await until('nothing is left', async () => {
      const { rows } = await bench.database.query<{ n: number }>(
        `SELECT (SELECT count(*) FROM messaging.parked_key WHERE consumer_group = $1)::int
              + (SELECT count(*) FROM messaging.parked_message WHERE consumer_group = $1)::int AS n`,
        [GROUP],
      );
      return rows[0]?.n === 0;
    });
  });

  it('drain in a few transactions once the first of a long queue is through', async () => {
    const orderId = newId<OrderId>();
    const transactions = new Set<Date>();
    let isBroken = true;
    await start(({ key }, { now }) => {
      if (key !== orderId) return;
      if (isBroken) throw new Error('not yet');
      transactions.add(now);
    });
    const ids = await capture(...Array.from({ length: 600 }, () => orderId));
    await until('all are parked', async () => (await parked(orderId))?.messages === 600);
    isBroken = false;
    await bench.untilApplied(orderId, ids);
    expect(await bench.applied(orderId)).toEqual(ids);
    expect(transactions.size).toBeLessThan(6);
  });

  it('have no attempt counted while the database is away, and go on when it is back', async () => {
    const orderId = newId<OrderId>();
    let state: 'broken' | 'away' | 'well' = 'broken';
    let cuts = 0;
    const replica = await bench.start({
      [GROUP]: decides({
        hears: [CapturePayment],
        retry,
        store: {
          load: async (db, messages, options) => {
            if (state === 'away' && messages.some(({ key }) => key === orderId)) {
              cuts += 1;
              // As the server itself ends a session.
              await db.query('SELECT pg_terminate_backend(pg_backend_pid())');
            }
            return tallyStore.load(db, messages, options);
          },
        },
        decide: (before, message: Capture, context) => {
          if (state === 'broken' && message.key === orderId) throw new Error('not yet');
          return tally(before, message, context);
        },
      }),
    });
    const ids = await capture(orderId);
    await until('it is parked', async () => ((await parked(orderId))?.attempts ?? 0) > 1);
    state = 'away';
    await until('it is tried in vain', () => cuts >= 3);
    const attempts = (await parked(orderId))?.attempts;
    const ready = await until('it is not ready', async () => {
      const { checks } = await replica.health.ready();
      return String(checks[`group ${GROUP}`]).includes('the database') && checks;
    });
    expect(ready[`group ${GROUP}`]).toContain('waiting for the database');
    await until('it is tried in vain again', () => cuts >= 5);
    expect((await parked(orderId))?.attempts).toBe(attempts);
    state = 'well';
    await bench.untilApplied(orderId, ids);
  });

  it('are shown by group: keys that wait, keys that are held, messages, and since when', async () => {
    const [waits, flows] = [newId<OrderId>(), newId<OrderId>()];
    const replica = await start(({ key }) => {
      if (key === waits) throw new Error('not yet');
    });
    const shown = (name: string, labels = {}) => scraped(replica.get(Metrics), name, { group: GROUP, ...labels });
    // A look that the database does not answer in time is hidden until the next one.
    const untilShown = (name: string, value: number, labels = {}) =>
      until(`${name} is ${value}`, async () => (await shown(name, labels)) === value);
    await untilShown('messaging_parked_keys', 0);
    await capture(waits, waits, flows);
    await untilShown('messaging_parked_messages', 2);
    await untilShown('messaging_parked_keys', 1, { state: 'waiting' });
    await untilShown('messaging_parked_keys', 0, { state: 'held' });
    await untilShown('messaging_settled_total', 2, { outcome: 'parked' });
    await until('it is seen to age', async () => ((await shown('messaging_parked_oldest_seconds')) ?? 0) > 0.2);
    expect(await shown('messaging_retries_total', { cause: 'failure' })).toBeGreaterThan(0);
  });
});

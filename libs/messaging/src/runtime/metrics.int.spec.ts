import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, type MessageOf, newId, type OrderId } from '@millrace/contracts';
import { Metrics } from '@millrace/observability';
import { recordFor, scraped, tally, tallyStore, type TestReplica, Workbench } from '../fixtures/index.ts';
import { PermanentFailure, Unavailable } from '../handlers/failures.ts';
import { type Call, decides, performs } from '../handlers/handler.ts';
import { until } from '../testing/until.ts';

const CALLS = 'test.measured-calls';
const BATCHES = 'test.measured-batches';
const MEMBERS = 'test.measured-members';
const TOPIC = 'payment.commands.v1';

type Capture = MessageOf<typeof CapturePayment>;

describe('the metrics of a consumer group', () => {
  let bench: Workbench;

  beforeAll(async () => {
    bench = await Workbench.open([CALLS, BATCHES, MEMBERS]);
  });
  afterEach(() => bench.stopReplicas());
  afterAll(() => bench.close());

  const shown = (
    replica: TestReplica,
    name: string,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<number | undefined> => scraped(replica.get(Metrics), name, labels);
  const decide = (group: string, store = tallyStore, decider = tally): Promise<TestReplica> =>
    bench.start({ [group]: decides({ hears: [CapturePayment], store, decide: decider }) });
  const perform = (call: (message: Capture, facts: Call) => Promise<unknown>): Promise<TestReplica> =>
    bench.start({
      [CALLS]: performs({
        hears: [CapturePayment],
        store: tallyStore,
        perform: (_state, message, facts) => call(message, facts),
        decide: (state, message, _outcome, context) => tally(state, message, context),
        timeoutMs: 300,
        retry: { attempts: 3, firstDelayMs: 20 },
      }),
    });
  /** Tells the tests' messages apart on a topic that all groups of the file hear from its beginning. */
  const sendOne = async (): Promise<{ orderId: OrderId; ids: readonly string[] }> => {
    const orderId = newId<OrderId>();
    return { orderId, ids: await bench.send(CapturePayment, [{ orderId }]) };
  };

  it('count what was received and how it was settled, and how long it took', async () => {
    const replica = await decide(BATCHES);
    const group = BATCHES;
    expect(await shown(replica, 'messaging_settled_total', { group, outcome: 'dead-lettered' })).toBe(0);
    const record = recordFor(CapturePayment, { orderId: newId<OrderId>() });
    await bench.topics.send([record, record, record]);
    const malformed = recordFor(CapturePayment, { orderId: newId<OrderId>() });
    await bench.topics.send([{ ...malformed, value: 'no JSON' }]);
    await until('all is settled', async () => (await shown(replica, 'messaging_settled_total', { group })) === 4);
    expect(await shown(replica, 'messaging_consumed_total', { group, topic: TOPIC })).toBe(4);
    expect(await shown(replica, 'messaging_settled_total', { group, outcome: 'applied' })).toBe(1);
    expect(await shown(replica, 'messaging_settled_total', { group, outcome: 'duplicate' })).toBe(2);
    expect(await shown(replica, 'messaging_dead_letters_total', { group, reason: 'bad-json' })).toBe(1);
    expect(await shown(replica, 'messaging_batch_records_sum', { group })).toBe(4);
    expect(await shown(replica, 'messaging_handling_seconds_count', { group })).toBe(4);
    expect(await shown(replica, 'messaging_delivery_seconds_count', { group })).toBe(4);
    const handling = (await shown(replica, 'messaging_handling_seconds_sum', { group })) ?? 0;
    expect(await shown(replica, 'messaging_delivery_seconds_sum', { group })).toBeGreaterThanOrEqual(handling);
    expect(await shown(replica, 'messaging_open_records', { group })).toBe(0);
    expect(await shown(replica, 'messaging_oldest_open_seconds', { group })).toBe(0);
    await until(
      'what was said is sent',
      async () => (await shown(replica, 'messaging_outbox_sent_total', { topic: 'payment.events.v1' })) === 1,
    );
    // The answer and the dead letter.
    await until('both are sent', async () => (await shown(replica, 'messaging_outbox_dwell_seconds_count')) === 2);
  });

  it('tell for how long the oldest record waits', async () => {
    const gate = Promise.withResolvers<void>();
    let isWaiting = false;
    const replica = await decide(BATCHES, {
      load: async (db, messages, options) => {
        isWaiting = true;
        await gate.promise;
        return tallyStore.load(db, messages, options);
      },
    });
    const { orderId, ids } = await sendOne();
    await until('a batch is under way', () => isWaiting);
    const group = BATCHES;
    expect(await shown(replica, 'messaging_open_records', { group })).toBe(1);
    await until(
      'the record is half a second old',
      async () => ((await shown(replica, 'messaging_oldest_open_seconds', { group })) ?? 0) > 0.5,
    );
    gate.resolve();
    await bench.untilApplied(orderId, ids);
    await until('nothing waits', async () => (await shown(replica, 'messaging_oldest_open_seconds', { group })) === 0);
  });

  it('count the calls by their outcome, and what was tried again by its cause', async () => {
    const group = CALLS;
    const orders = {
      ok: newId<OrderId>(),
      failing: newId<OrderId>(),
      refused: newId<OrderId>(),
      unreasonable: newId<OrderId>(),
      away: newId<OrderId>(),
      silent: newId<OrderId>(),
    };
    const tries = new Map<string, number>();
    const replica = await perform(({ key }) => {
      const number = (tries.get(key) ?? 0) + 1;
      tries.set(key, number);
      if (key === orders.failing) return Promise.reject(new Error('a bug'));
      if (key === orders.refused) return Promise.reject(new PermanentFailure('card-unknown', 'no such card'));
      if (key === orders.unreasonable)
        return Promise.reject(new PermanentFailure(`Card ${newId()} is unknown`, 'free text'));
      if (key === orders.away && number === 1) return Promise.reject(new Unavailable('nobody there'));
      if (key === orders.silent && number === 1) return new Promise(() => {});
      return Promise.resolve();
    });
    await bench.send(
      CapturePayment,
      Object.values(orders).map((orderId) => ({ orderId })),
    );
    await until('all of these are settled', async () => {
      const [applied, buried] = await Promise.all([
        Promise.all([orders.ok, orders.away, orders.silent].map((orderId) => bench.applied(orderId))),
        shown(replica, 'messaging_settled_total', { group, outcome: 'dead-lettered' }),
      ]);
      return applied.every(({ length }) => length === 1) && buried === 4;
    });
    const calls = (outcome: string) => shown(replica, 'messaging_call_seconds_count', { group, outcome });
    expect(await calls('failed')).toBe(3);
    expect(await calls('refused')).toBe(2);
    expect(await calls('unavailable')).toBe(1);
    expect(await calls('timeout')).toBe(1);
    expect(await calls('ok')).toBeGreaterThanOrEqual(3);
    expect(await shown(replica, 'messaging_retries_total', { group, cause: 'failure' })).toBe(2);
    expect(await shown(replica, 'messaging_retries_total', { group, cause: 'unavailable' })).toBe(2);
    const letters = (reason: string) => shown(replica, 'messaging_dead_letters_total', { group, reason });
    expect(await letters('handler-failed')).toBe(1);
    expect(await letters('card-unknown')).toBe(1);
    expect(await letters('other')).toBe(1);
  });

  it('count lost races and outages of the database as what they are', async () => {
    const failures = [{ code: '40001' }, { code: '40001' }, { code: '57P01' }];
    const replica = await decide(BATCHES, {
      load: (db, messages, options) => {
        const failure = failures.shift();
        if (failure) throw Object.assign(new Error('not now'), failure);
        return tallyStore.load(db, messages, options);
      },
    });
    const { orderId, ids } = await sendOne();
    await bench.untilApplied(orderId, ids);
    expect(await shown(replica, 'messaging_retries_total', { group: BATCHES, cause: 'conflict' })).toBe(2);
    expect(await shown(replica, 'messaging_retries_total', { group: BATCHES, cause: 'database' })).toBe(1);
  });

  it('tell who has which share of the partitions, and count its changes', async () => {
    const group = MEMBERS;
    const partitionsOf = (replica: TestReplica) => shown(replica, 'messaging_assigned_partitions', { group });
    const first = await decide(MEMBERS);
    const all = await until('the first has all partitions', async () => {
      const partitions = await partitionsOf(first);
      return (partitions ?? 0) > 0 && partitions;
    });
    expect(await shown(first, 'messaging_rebalances_total', { group })).toBe(0);
    const second = await decide(MEMBERS);
    await until('they share the partitions', async () => {
      const [here, there] = await Promise.all([partitionsOf(first), partitionsOf(second)]);
      return (here ?? 0) > 0 && (there ?? 0) > 0 && (here ?? 0) + (there ?? 0) === all;
    });
    expect(await shown(first, 'messaging_rebalances_total', { group })).toBeGreaterThanOrEqual(1);
    await second.stop();
    await until('the first has all partitions again', async () => (await partitionsOf(first)) === all);
    expect(await shown(first, 'messaging_rebalances_total', { group })).toBeGreaterThanOrEqual(2);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, headerNames, type MessageOf, newId, type OrderId } from '@millrace/contracts';
import { Metrics } from '@millrace/observability';
import { recordFor, scraped, tally, tallyStore, type TestReplica, Workbench } from '../fixtures/index.ts';
import { Unavailable } from '../handlers/failures.ts';
import { type Call, performs } from '../handlers/handler.ts';
import type { RetryPolicy } from '../handlers/retry-policy.ts';
import { until } from '../testing/until.ts';
import { claimDue } from './leases.ts';
import { listParked, parkedMessages, type ParkedListing } from './operations.ts';

const GROUP = 'test.parked-calls';

type Capture = MessageOf<typeof CapturePayment>;

describe('a group that calls the outside world, with a parked key', () => {
  let bench: Workbench;

  beforeAll(async () => {
    bench = await Workbench.open([GROUP]);
  });
  afterEach(async () => {
    await bench.stopReplicas();
    await bench.database.query('TRUNCATE messaging.parked_key, messaging.parked_message');
  });
  afterAll(async () => {
    await bench.close();
  });

  const start = (
    perform: (message: Capture, call: Call) => unknown,
    options: { readonly concurrency?: number; readonly timeoutMs?: number; readonly retry?: Partial<RetryPolicy> } = {},
  ): Promise<TestReplica> =>
    bench.start({
      [GROUP]: performs({
        hears: [CapturePayment],
        store: tallyStore,
        perform: async (_state, message, call) => perform(message, call),
        decide: (state, message, _outcome, context) => tally(state, message, context),
        retry: { attempts: 1000, firstDelayMs: 20, maxDelayMs: 100 },
        ...options,
      }),
    });
  const capture = (...orders: readonly OrderId[]): Promise<readonly string[]> =>
    bench.send(
      CapturePayment,
      orders.map((orderId) => ({ orderId })),
    );
  const orderIds = (count: number) => Array.from({ length: count }, () => newId<OrderId>());
  const parked = async (key: string): Promise<ParkedListing | undefined> =>
    (await listParked(bench.database, { group: GROUP, key }))[0];
  const outageOf = async (replica: TestReplica): Promise<string> =>
    String((await replica.health.ready()).checks[`group ${GROUP}`]);

  it('makes no call for what follows a message of its key that is too new for it', async () => {
    const called: string[] = [];
    await start((message) => void called.push(message.key));
    const [orderId, other] = orderIds(2) as [OrderId, OrderId];
    const [first, second] = [recordFor(CapturePayment, { orderId }), recordFor(CapturePayment, { orderId })];
    const tooNew = CapturePayment.wireType.replace(/\d+$/, '9');
    await bench.topics.send([
      { ...first, headers: { ...first.headers, [headerNames.type]: tooNew } },
      second,
      recordFor(CapturePayment, { orderId: other }),
    ]);
    await until('both wait', async () => (await parked(orderId))?.messages === 2);
    await until('the other is called', () => called.includes(other));
    expect(called).toEqual([other]);
    const queued = await parkedMessages(bench.database, GROUP, orderId);
    expect(queued.map(({ messageId }) => messageId)).toEqual([first.id, second.id]);
  });

  it('gives up slot and offset of a call that fails, and repeats it in its turn with the same key and the next attempt', async () => {
    const [broken, ...others] = orderIds(20) as [OrderId, ...OrderId[]];
    const calls: Pick<Call, 'idempotencyKey' | 'attempt'>[] = [];
    let isBroken = true;
    // With one slot only, a call that waited in its place would stop everybody.
    await start(
      ({ key }, { idempotencyKey, attempt }) => {
        if (key !== broken) return;
        calls.push({ idempotencyKey, attempt });
        if (isBroken) throw new Error('the provider stumbled');
      },
      { concurrency: 1 },
    );
    const ids = await capture(broken, broken, broken);
    await until('the first call failed', () => calls.length > 0);
    await capture(...others);
    for (const orderId of others) await bench.untilApplied(orderId, ['one']);
    await until('all wait behind the first', async () => (await parked(broken))?.messages === 3);
    isBroken = false;
    await bench.untilApplied(broken, ids);
    expect(await bench.applied(broken)).toEqual(ids);
    const ofFirst = calls.filter(({ idempotencyKey }) => idempotencyKey === ids[0]);
    expect(ofFirst.map(({ attempt }) => attempt)).toEqual(ofFirst.map((_, index) => index + 1));
    const firsts = [...new Set(calls.map(({ idempotencyKey }) => idempotencyKey))];
    expect(firsts).toEqual(ids);
  });

  it('queues what comes for it many at a time, so that a busy one does not hold up its partition', async () => {
    const [broken] = orderIds(1) as [OrderId];
    let isBroken = true;
    const replica = await start(({ key }) => {
      if (isBroken && key === broken) throw new Error('the provider stumbled');
    });
    const [first = ''] = await capture(broken);
    await until('it is parked', async () => (await parked(broken)) !== undefined);
    const batches = () => scraped(replica.get(Metrics), 'messaging_batch_records_count', { group: GROUP });
    const before = (await batches()) ?? 0;
    const ids = await capture(...Array.from({ length: 300 }, () => broken));
    await until('all wait', async () => (await parked(broken))?.messages === 301);
    // In this order: it is tried again and again, and a batch that is counted here must be an attempt that is counted there.
    const settled = (await batches()) ?? 0;
    const attempts = (await parked(broken))?.attempts ?? 0;
    expect(settled - before - attempts).toBeLessThan(30);
    isBroken = false;
    await bench.untilApplied(broken, [first, ...ids.slice(0, 20)]);
    expect((await bench.applied(broken)).slice(0, 21)).toEqual([first, ...ids.slice(0, 20)]);
  });

  it('makes the calls of a key in its order with two replicas and calls that fail at random, and records each once', async () => {
    const orders = orderIds(10);
    const sent = new Map(orders.map((orderId) => [orderId, [] as string[]]));
    const succeeded = new Map(orders.map((orderId) => [orderId, [] as string[]]));
    const busy = new Set<string>();
    const overlaps: string[] = [];
    const perform = async ({ id, key }: Capture): Promise<void> => {
      const done = succeeded.get(key as OrderId);
      if (done === undefined) return;
      if (busy.has(key)) overlaps.push(key);
      busy.add(key);
      try {
        await new Promise((resolve) => setImmediate(resolve));
        if (Math.random() < 0.2) throw new Error('the provider stumbled');
        done.push(id);
      } finally {
        busy.delete(key);
      }
    };
    const replicas = await Promise.all([start(perform), start(perform)]);
    // Both at once: one that joined later would take partitions over from calls that are under way.
    await until('both are ready', async () =>
      (await Promise.all(replicas.map(outageOf))).every((outage) => outage === 'ok'),
    );
    for (let round = 0; round < 6; round++) {
      const ids = await capture(...orders);
      orders.forEach((orderId, index) => sent.get(orderId)?.push(ids[index] ?? ''));
    }
    for (const [orderId, ids] of sent) {
      await bench.untilApplied(orderId, ids);
      expect(await bench.applied(orderId)).toEqual(ids);
      // A rebalance repeats a call that was under way, never another one's turn.
      expect([...new Set(succeeded.get(orderId))]).toEqual(ids);
    }
    expect(overlaps).toEqual([]);
  });

  it('goes on with a key whose replica died, when its lease has ended', async () => {
    const orderId = newId<OrderId>();
    let isBroken = true;
    const perform = ({ key }: Capture): void => {
      if (isBroken && key === orderId) throw new Error('the provider stumbled');
    };
    const retry = { attempts: 1000, firstDelayMs: 1, maxDelayMs: 1 };
    await start(perform, { timeoutMs: 1000, retry });
    const ids = await capture(orderId, orderId);
    await until('both are parked', async () => (await parked(orderId))?.messages === 2);
    await bench.stopReplicas();
    isBroken = false;
    let leasedAt = 0;
    // What a replica leaves behind that is killed while it calls.
    await until('the key is due', async () => {
      leasedAt = performance.now();
      return (await claimDue(bench.database, GROUP, 10, 2000)).length === 1;
    });
    await start(perform, { timeoutMs: 1000, retry });
    await bench.untilApplied(orderId, ids);
    expect(performance.now() - leasedAt).toBeGreaterThan(1900);
    expect(await bench.applied(orderId)).toEqual(ids);
  });

  it('calls nobody while the other side is away, fetches nothing, says why, burns no attempt, and goes on by itself', async () => {
    const [before, ...orders] = orderIds(30) as [OrderId, ...OrderId[]];
    let state: 'broken' | 'away' | 'well' = 'broken';
    const calls: string[] = [];
    let stumbled = 0;
    const replica = await start(
      ({ key }) => {
        if (key === before && state === 'broken') {
          stumbled += 1;
          throw new Error('the provider stumbled');
        }
        if (state !== 'away') return;
        calls.push(key);
        throw new Unavailable('the provider is being repaired');
      },
      { concurrency: 4, retry: { attempts: 1000, firstDelayMs: 300, maxDelayMs: 300 } },
    );
    const [first = ''] = await capture(before);
    await until('it is parked', async () => (await parked(before)) !== undefined);
    state = 'away';
    const ids = await capture(...orders);
    await until('it is not ready', async () => (await outageOf(replica)).includes('the provider is being repaired'));
    const paused = () => scraped(replica.get(Metrics), 'messaging_paused_partitions', { reason: 'outage' });
    await until('all partitions are paused', async () => (await paused()) === 6);
    await until('its last try is recorded', async () => (await parked(before))?.attempts === stumbled);
    const [probes, since] = [calls.length, performance.now()];
    await until('a second has passed', () => performance.now() - since > 1000);
    // One at a time, with growing pauses; without a breaker four at once and many more.
    expect(calls.length - probes).toBeLessThan(8);
    expect((await parked(before))?.attempts).toBe(stumbled);
    expect((await listParked(bench.database, { group: GROUP })).map(({ key }) => key)).toEqual([before]);
    expect(await outageOf(replica)).toContain('the provider is being repaired');
    state = 'well';
    for (const [index, orderId] of orders.entries()) await bench.untilApplied(orderId, [ids[index] ?? '']);
    await bench.untilApplied(before, [first]);
    expect(await outageOf(replica)).toBe('ok');
    expect(await paused()).toBe(0);
    expect((await bench.topics.read(`${GROUP}.dlq`)).length).toBe(0);
  });
});

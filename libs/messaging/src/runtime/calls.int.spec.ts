import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type AnyMessage, CapturePayment, type MessageOf, newId, type OrderId } from '@millrace/contracts';
import { recordFor, tally, tallyStore, type TestReplica, Workbench } from '../fixtures/index.ts';
import { PermanentFailure, Unavailable } from '../handlers/failures.ts';
import { type Call, performs } from '../handlers/handler.ts';
import type { RetryPolicy } from '../handlers/retry-policy.ts';
import { until } from '../testing/until.ts';

const GROUP = 'test.calls';

type Capture = MessageOf<typeof CapturePayment>;

describe('a group that calls the outside world', () => {
  let bench: Workbench;

  beforeAll(async () => {
    bench = await Workbench.open([GROUP]);
  });
  afterEach(async () => {
    await bench.stopReplicas();
  });
  afterAll(async () => {
    await bench.close();
  });

  const start = (
    perform: (message: Capture, call: Call) => Promise<unknown>,
    options: {
      readonly concurrency?: number;
      readonly retry?: Partial<RetryPolicy>;
      readonly timeoutMs?: number;
      readonly store?: typeof tallyStore;
    } = {},
  ): Promise<TestReplica> =>
    bench.start({
      [GROUP]: performs({
        hears: [CapturePayment],
        store: tallyStore,
        perform: (_state, message, call) => perform(message, call),
        decide: (state, message, _outcome, context) => tally(state, message, context),
        retry: { attempts: 3, firstDelayMs: 20 },
        ...options,
      }),
    });
  const capture = async (orderId: OrderId, count = 1): Promise<readonly string[]> =>
    bench.send(
      CapturePayment,
      Array.from({ length: count }, () => ({ orderId })),
    );
  const turns = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
  };

  it('calls side by side up to its limit, and one at a time and in order for each key, with the message id as key', async () => {
    const orders = Array.from({ length: 30 }, () => newId<OrderId>());
    const calls = new Map<string, string[]>();
    const busy = new Set<string>();
    let mostAtOnce = 0;
    // The first calls wait for their company: partitions may be fetched one after the other.
    const { promise: areEight, resolve: eightAreUnderWay } = Promise.withResolvers<void>();
    const overtaken: string[] = [];
    const ids = await bench.send(
      CapturePayment,
      Array.from({ length: 5 }, () => orders.map((orderId) => ({ orderId }))).flat(),
    );
    await start(
      async ({ id, key }, { idempotencyKey }) => {
        if (busy.has(key)) overtaken.push(id);
        busy.add(key);
        mostAtOnce = Math.max(mostAtOnce, busy.size);
        calls.set(key, [...(calls.get(key) ?? []), idempotencyKey]);
        if (busy.size === 8) eightAreUnderWay();
        await areEight;
        await turns(5);
        busy.delete(key);
      },
      { concurrency: 8 },
    );
    for (const [index, orderId] of orders.entries()) {
      const sent = ids.filter((_, position) => position % orders.length === index);
      await bench.untilApplied(orderId, sent);
      expect(await bench.applied(orderId)).toEqual(sent);
      expect(calls.get(orderId)).toEqual(sent);
    }
    expect(overtaken).toEqual([]);
    expect(mostAtOnce).toBe(8);
  });

  it('goes on in its last free slots while calls that hang have all others', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const hanging = new Set(Array.from({ length: 22 }, () => String(newId<OrderId>())));
    let areHanging = 0;
    await start(
      async ({ key }) => {
        if (!hanging.has(key)) return;
        areHanging += 1;
        await released;
      },
      { concurrency: 24 },
    );
    try {
      await bench.send(
        CapturePayment,
        [...hanging].map((orderId) => ({ orderId: orderId as OrderId })),
      );
      await until('they hang', () => Promise.resolve(areHanging === hanging.size));
      const orders = Array.from({ length: 10 }, () => newId<OrderId>());
      const ids = await bench.send(
        CapturePayment,
        orders.map((orderId) => ({ orderId })),
      );
      for (const [index, orderId] of orders.entries()) await bench.untilApplied(orderId, [String(ids[index])]);
    } finally {
      release();
    }
  });

  it('reads what many calls need in few statements, also when calls end one by one', async () => {
    const count = 200;
    let loads = 0;
    const counting: typeof tallyStore = {
      load(db, messages, options) {
        if (!options.lock) loads += 1;
        return tallyStore.load(db, messages, options);
      },
    };
    let last = Promise.resolve();
    const orders = Array.from({ length: count }, () => newId<OrderId>());
    const ids = await bench.send(
      CapturePayment,
      orders.map((orderId) => ({ orderId })),
    );
    await start(() => (last = last.then(() => turns(3))), { concurrency: 32, store: counting });
    for (const [index, orderId] of orders.entries()) await bench.untilApplied(orderId, [String(ids[index])]);
    expect(loads).toBeLessThan(count / 2);
  });

  it('repeats a call with the same key when the process ended between the call and its record', async () => {
    const orderId = newId<OrderId>();
    const [id] = await capture(orderId);
    const calls: string[] = [];
    // Its session is cut whenever it saves, as by a database that fails after each call.
    const cutting: typeof tallyStore = {
      async load(db, messages, options) {
        const states = await tallyStore.load(db, messages, options);
        return {
          of: (message) => states.of(message),
          change: (message, next) => states.change(message, next),
          save: async (tx) => void (await tx.query('SELECT pg_terminate_backend(pg_backend_pid())')),
        };
      },
    };
    const perform = async ({ key }: AnyMessage, { idempotencyKey }: Call): Promise<void> => {
      if (key === orderId) calls.push(idempotencyKey);
    };
    const doomed = await start(perform, { store: cutting });
    await until('the outcome cannot be recorded', async () =>
      String((await doomed.health.ready()).checks[`group ${GROUP}`]).includes('the database'),
    );
    expect(calls).toEqual([id]);
    await bench.stopReplicas();
    await start(perform);
    await bench.untilApplied(orderId, ['once']);
    expect(calls).toEqual([id, id]);
    expect(await bench.applied(orderId)).toEqual([id]);
  });

  it('does not call again when only the record of the outcome must be repeated', async () => {
    const orderId = newId<OrderId>();
    let calls = 0;
    let cuts = 0;
    const cuttingOnce: typeof tallyStore = {
      async load(db, messages, options) {
        const isCut = options.lock && messages.some(({ key }) => key === orderId) && cuts++ === 0;
        if (isCut) await db.query('SELECT pg_terminate_backend(pg_backend_pid())');
        return tallyStore.load(db, messages, options);
      },
    };
    await start(async ({ key }) => void (key === orderId && calls++), { store: cuttingOnce });
    const ids = await capture(orderId);
    await bench.untilApplied(orderId, ids);
    expect(cuts).toBe(2);
    expect(calls).toBe(1);
  });

  it('tries a failing call again as often as it may, then dead-letters the message with the number of attempts', async () => {
    const [fails, recovers] = [newId<OrderId>(), newId<OrderId>()];
    const attempts: number[] = [];
    await start(async ({ key }, { attempt }) => {
      if (key === fails) attempts.push(attempt);
      if (key === fails || (key === recovers && attempt < 3)) throw new Error('the provider stumbled');
    });
    await capture(fails);
    const ids = await capture(recovers);
    const [letter] = await bench.letters(GROUP, fails);
    expect(letter?.headers).toMatchObject({ 'dlq-attempts': '3', 'dlq-reason': 'handler-failed' });
    expect(letter?.headers['dlq-error']).toContain('the provider stumbled');
    expect(attempts).toEqual([1, 2, 3]);
    await bench.untilApplied(recovers, ids);
    // The key flows again.
    const next = await capture(recovers);
    await bench.untilApplied(recovers, [...ids, ...next]);
  });

  it('dead-letters at once what cannot be helped by another try', async () => {
    const orderId = newId<OrderId>();
    let calls = 0;
    await start(async ({ key }) => {
      if (key !== orderId) return;
      calls += 1;
      throw new PermanentFailure('card-unknown', 'there is no such card');
    });
    await capture(orderId);
    const [letter] = await bench.letters(GROUP, orderId);
    expect(letter?.headers).toMatchObject({ 'dlq-attempts': '1', 'dlq-reason': 'card-unknown' });
    expect(calls).toBe(1);
    expect(await bench.applied(orderId)).toEqual([]);
  });

  it('waits as long as the other side is away, counts no attempt, says why it is not ready, and goes on by itself', async () => {
    const orderId = newId<OrderId>();
    const attempts: number[] = [];
    let isAway = true;
    const replica = await start(
      async ({ key }, { attempt }) => {
        if (key !== orderId) return;
        attempts.push(attempt);
        if (isAway) throw new Unavailable('the provider is being repaired');
      },
      { retry: { attempts: 1 } },
    );
    const ids = await capture(orderId);
    await until('it was called more often than attempts are allowed', () => attempts.length >= 3);
    expect((await replica.health.ready()).checks[`group ${GROUP}`]).toContain('the provider is being repaired');
    isAway = false;
    await bench.untilApplied(orderId, ids);
    expect(new Set(attempts)).toEqual(new Set([1]));
    expect((await replica.health.ready()).checks[`group ${GROUP}`]).toBe('ok');
    expect((await bench.topics.read(`${GROUP}.dlq`)).filter(({ key }) => key === orderId)).toEqual([]);
  });

  it('ends a call that takes too long and tries it again, without burning an attempt', async () => {
    const orderId = newId<OrderId>();
    const calls: Call[] = [];
    await start(
      ({ key }, call) => {
        if (key !== orderId) return Promise.resolve();
        calls.push(call);
        return calls.length === 1 ? new Promise(() => {}) : Promise.resolve();
      },
      { timeoutMs: 100, retry: { attempts: 1 } },
    );
    const ids = await capture(orderId);
    await bench.untilApplied(orderId, ids);
    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 1]);
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  });

  it('lets a slow call hold up its own key and nothing else, and no offset pass it', async () => {
    const slow = newId<OrderId>();
    const others = Array.from({ length: 50 }, () => newId<OrderId>());
    const gate = Promise.withResolvers<void>();
    const called: string[] = [];
    const perform = async ({ id, key }: Capture): Promise<void> => {
      if (key !== slow) return;
      called.push(id);
      await gate.promise;
    };
    // It is slow for as long as the others take.
    await start(perform, { timeoutMs: 600_000 });
    const slowIds = await capture(slow, 2);
    await bench.send(
      CapturePayment,
      others.map((orderId) => ({ orderId })),
    );
    for (const orderId of others) await bench.untilApplied(orderId, ['one']);
    expect(called).toEqual(slowIds.slice(0, 1));
    const records = (await bench.topics.read('payment.commands.v1')).filter(
      ({ key }) => key === slow || others.includes(key as OrderId),
    );
    const [record] = records.filter(({ key }) => key === slow);
    const elsewhere = records.find(({ partition }) => partition !== record?.partition);
    const isPassed = async (passed: typeof record): Promise<boolean> => {
      const offset = (await bench.committed(GROUP)).get(`payment.commands.v1/${passed?.partition}`) ?? '0';
      return passed !== undefined && BigInt(offset) > BigInt(passed.offset);
    };
    await until('the offsets of other partitions are committed', () => isPassed(elsewhere));
    expect(await isPassed(record)).toBe(false);
    gate.resolve();
    await bench.untilApplied(slow, slowIds);
    expect(await bench.applied(slow)).toEqual(slowIds);
    await until('the offset passes', () => isPassed(record));
  });

  it('does not call again for a message that comes twice', async () => {
    const orderId = newId<OrderId>();
    const calls: string[] = [];
    await start(async ({ id, key }) => void (key === orderId && calls.push(id)));
    const [first, last] = [recordFor(CapturePayment, { orderId }), recordFor(CapturePayment, { orderId })];
    await bench.topics.send([first, first]);
    await bench.untilApplied(orderId, [first.id]);
    await bench.topics.send([first, last]);
    await bench.untilApplied(orderId, [first.id, last.id]);
    expect(calls).toEqual([first.id, last.id]);
  });

  it('gives up a message whose state cannot be read, alone', async () => {
    const [broken, fine] = [newId<OrderId>(), newId<OrderId>()];
    const picky: typeof tallyStore = {
      load: async (db, messages, options) => {
        if (messages.some(({ key }) => key === broken)) throw new TypeError('this row makes no sense');
        return tallyStore.load(db, messages, options);
      },
    };
    const ids = await bench.send(CapturePayment, [{ orderId: fine }, { orderId: broken }, { orderId: fine }]);
    const replica = await start(async () => {}, { store: picky });
    const [letter] = await bench.letters(GROUP, broken);
    expect(letter?.headers['dlq-error']).toContain('this row makes no sense');
    await bench.untilApplied(fine, [ids[0] ?? '', ids[2] ?? '']);
    expect(replica.fatal).toEqual([]);
  });

  it('finishes a call that is under way when it stops, and records it', async () => {
    const orderId = newId<OrderId>();
    const gate = Promise.withResolvers<void>();
    const calls: string[] = [];
    await start(async ({ id, key }) => {
      if (key !== orderId) return;
      calls.push(id);
      await gate.promise;
    });
    const ids = await capture(orderId, 2);
    await until('the first call is under way', () => calls.length === 1);
    const since = performance.now();
    const stopped = bench.stopReplicas();
    await until('a stop without patience would be over', () => performance.now() - since > 200);
    gate.resolve();
    await stopped;
    expect(await bench.applied(orderId)).toEqual(ids.slice(0, 1));
    await start(async ({ id, key }) => void (key === orderId && calls.push(id)));
    await bench.untilApplied(orderId, ids);
    expect(calls).toEqual(ids);
  });

  it('cuts off a call that does not end when it stops, also one that waits for its next try', async () => {
    const [hangs, waits] = [newId<OrderId>(), newId<OrderId>()];
    const aborted: boolean[] = [];
    let tries = 0;
    const { promise: isHanging, resolve: hanging } = Promise.withResolvers<void>();
    await start(
      async ({ key }, { signal }) => {
        if (key === waits) {
          // Nobody is called any more once it has found nobody.
          await isHanging;
          tries += 1;
          throw new Unavailable('away');
        }
        if (key === hangs) {
          hanging();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        }
        aborted.push(signal.aborted);
      },
      // Not before the test would have failed: only the stop can end it.
      { timeoutMs: 600_000 },
    );
    await bench.send(CapturePayment, [{ orderId: hangs }, { orderId: waits }]);
    await until('both are under way', () => tries > 0);
    await bench.stopReplicas();
    expect(aborted).toContain(true);
    expect(await bench.applied(hangs)).toEqual([]);
  });
});

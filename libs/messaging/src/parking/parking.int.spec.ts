import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, type MessageOf, newId, type OrderId } from '@millrace/contracts';
import { recordFor, tally, tallyStore, type TestReplica, Workbench } from '../fixtures/index.ts';
import type { DecisionContext } from '../handlers/decision.ts';
import { PermanentFailure } from '../handlers/failures.ts';
import { decides } from '../handlers/handler.ts';
import type { RetryPolicy } from '../handlers/retry-policy.ts';
import { until } from '../testing/until.ts';
import { listParked, parkedMessages, type ParkedListing, release, skip } from './operations.ts';

const GROUP = 'test.parking';
const TOPIC = 'payment.commands.v1';

type Capture = MessageOf<typeof CapturePayment>;

describe('a group with a parked key', () => {
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

  /** A replica whose handler first asks `check` about each message. */
  const start = (
    check: (message: Capture, context: DecisionContext) => void,
    retry: Partial<RetryPolicy> = {},
  ): Promise<TestReplica> =>
    bench.start({
      [GROUP]: decides({
        hears: [CapturePayment],
        store: tallyStore,
        retry: { attempts: 1000, firstDelayMs: 20, maxDelayMs: 100, ...retry },
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
  const failing = (orderId: OrderId) => (message: Capture) => {
    if (message.key === orderId) throw new Error('the state makes no sense yet');
  };
  const parked = async (key: string): Promise<ParkedListing | undefined> =>
    (await listParked(bench.database, { group: GROUP, key }))[0];
  const untilParked = (key: string, is: (found: ParkedListing) => boolean = () => true): Promise<ParkedListing> =>
    until('the key is parked', async () => {
      const found = await parked(key);
      return found !== undefined && is(found) && found;
    });
  const untilFlowing = (key: string): Promise<boolean> =>
    until('the key flows', async () => (await parked(key)) === undefined);

  it('lets all other keys of the partition go on, and applies the messages of this one in order afterwards', async () => {
    const [broken, ...others] = Array.from({ length: 60 }, () => newId<OrderId>()) as [OrderId, ...OrderId[]];
    let isBroken = true;
    await start((message) => isBroken && failing(broken)(message));
    const [first = ''] = await capture(broken);
    await untilParked(broken);
    await capture(...others);
    const later = await capture(broken, broken, broken);
    const more = await capture(...others);
    for (const [index, orderId] of others.entries()) {
      await bench.untilApplied(orderId, ['one', 'two']);
      expect((await bench.applied(orderId))[1]).toBe(more[index]);
    }
    const records = (await bench.topics.read(TOPIC)).filter(({ key }) => key === broken);
    await until('the offsets pass the parked messages', async () => {
      const committed = (await bench.committed(GROUP)).get(`${TOPIC}/${records[0]?.partition}`) ?? '0';
      return records.every(({ offset }) => BigInt(committed) > BigInt(offset));
    });
    expect(await bench.applied(broken)).toEqual([]);
    const waiting = await untilParked(broken, ({ messages, attempts }) => messages === 4 && attempts > 2);
    expect(waiting).toMatchObject({ group: GROUP, isHeld: false, failure: { reason: 'handler-failed' } });
    expect(waiting.failure?.error).toBe('Error: the state makes no sense yet');
    expect((await parkedMessages(bench.database, GROUP, broken)).map(({ messageId }) => messageId)).toEqual([
      first,
      ...later,
    ]);
    isBroken = false;
    await untilFlowing(broken);
    const last = await capture(broken);
    await bench.untilApplied(broken, [first, ...later, ...last]);
    expect(await bench.applied(broken)).toEqual([first, ...later, ...last]);
    expect(await bench.topics.read(`${GROUP}.dlq`)).toEqual([]);
  });

  it('keeps the order also where message and successors stand in one batch, and knows what comes twice', async () => {
    const orderId = newId<OrderId>();
    const records = Array.from({ length: 8 }, () => recordFor(CapturePayment, { orderId }));
    const ids = records.map(({ id }) => id);
    let tries = 0;
    await bench.topics.send([...records, ...records]);
    await start((message) => {
      if (message.id === ids[2] && ++tries <= 3) throw new Error('not yet');
    });
    await bench.topics.send(records);
    await bench.untilApplied(orderId, ids);
    await untilFlowing(orderId);
    expect(await bench.applied(orderId)).toEqual(ids);
    expect(tries).toBe(4);
  });

  it('moves the message to the dead letters after its last try, and the key flows again', async () => {
    const orderId = newId<OrderId>();
    const records = Array.from({ length: 3 }, () => recordFor(CapturePayment, { orderId }));
    const [before, poison, after] = records.map(({ id }) => id);
    const times: number[] = [];
    await start(
      (message, { now }) => {
        if (message.id !== poison) return;
        times.push(now.getTime());
        throw new Error('never');
      },
      { attempts: 4 },
    );
    await bench.topics.send(records);
    const [letter] = await bench.letters(GROUP, orderId);
    await bench.untilApplied(orderId, [before ?? '', after ?? '']);
    expect(await bench.applied(orderId)).toEqual([before, after]);
    expect(times).toHaveLength(4);
    expect(letter?.headers).toMatchObject({ ce_id: poison, 'dlq-reason': 'handler-failed', 'dlq-attempts': '4' });
    const [firstFailedAt = 0, failedAt = 0] = ['dlq-first-failed-at', 'dlq-failed-at'].map((name) =>
      Date.parse(letter?.headers[name] ?? ''),
    );
    expect([firstFailedAt, failedAt]).toEqual([times[0], times[3]]);
    expect(await parked(orderId)).toBeUndefined();
  });

  it('dead-letters at once what cannot be helped or is no message, also from behind a parked one', async () => {
    const orderId = newId<OrderId>();
    let isBroken = true;
    const records = Array.from({ length: 3 }, () => recordFor(CapturePayment, { orderId }));
    const [first, refused, last] = records.map(({ id }) => id);
    await start((message) => {
      if (message.id === refused) throw new PermanentFailure('no-such-card', 'no');
      if (isBroken) failing(orderId)(message);
    });
    await bench.topics.send(records);
    await untilParked(orderId, ({ messages }) => messages === 3);
    await bench.topics.send([{ ...recordFor(CapturePayment, { orderId }), value: '{' }]);
    const [malformed] = await bench.letters(GROUP, orderId);
    expect(malformed?.headers).toMatchObject({ 'dlq-reason': 'bad-json', 'dlq-attempts': '1' });
    isBroken = false;
    const letters = await bench.letters(GROUP, orderId, 2);
    expect(letters[1]?.headers).toMatchObject({ ce_id: refused, 'dlq-reason': 'no-such-card', 'dlq-attempts': '1' });
    await bench.untilApplied(orderId, [first ?? '', last ?? '']);
    expect(await bench.applied(orderId)).toEqual([first, last]);
  });

  it('is held after the last try where the handler says so, until a person releases or skips', async () => {
    const orderId = newId<OrderId>();
    const tried: string[] = [];
    let isBroken = true;
    await start(
      (message) => {
        if (message.key === orderId) tried.push(message.id);
        if (isBroken) failing(orderId)(message);
      },
      { attempts: 2, then: 'hold' },
    );
    const ids = await capture(orderId, orderId, orderId);
    const held = await untilParked(orderId, ({ isHeld }) => isHeld);
    expect(held).toMatchObject({ attempts: 2, messages: 3 });
    expect(tried).toEqual([ids[0], ids[0]]);
    // Released without a repair, it has one more try.
    expect(await bench.database.transaction((tx) => release(tx, GROUP, orderId))).toBe(true);
    await untilParked(orderId, ({ isHeld, attempts }) => isHeld && attempts === 3);
    await bench.database.transaction((tx) => skip(tx, GROUP, orderId, new Date()));
    const [letter] = await bench.letters(GROUP, orderId);
    expect(letter?.headers).toMatchObject({ ce_id: ids[0], 'dlq-attempts': '3', 'dlq-reason': 'handler-failed' });
    await untilParked(orderId, ({ isHeld, messages }) => isHeld && messages === 2);
    isBroken = false;
    await bench.database.transaction((tx) => release(tx, GROUP, orderId));
    await bench.untilApplied(orderId, ids.slice(1));
    expect(await bench.applied(orderId)).toEqual(ids.slice(1));
    expect(await parked(orderId)).toBeUndefined();
    expect(await bench.database.transaction((tx) => release(tx, GROUP, orderId))).toBe(false);
    expect(await bench.database.transaction((tx) => skip(tx, GROUP, orderId, new Date()))).toBeUndefined();
  });

  it('keeps key, value and headers of a dead letter byte for byte, with those that repeat', async () => {
    const orderId = newId<OrderId>();
    const id = newId();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
    const record = recordFor(CapturePayment, { orderId }, { id, traceparent });
    const headers = {
      ...record.headers,
      baggage: ['first', Buffer.from([0xff, 0x00, 0x01]), 'first'],
      signature: Buffer.from([0xc3, 0x28]),
    };
    await start(failing(orderId), { attempts: 2 });
    const value = `  ${String(record.value)}\n`;
    await bench.topics.send([{ ...record, value, headers }]);
    const [letter] = await bench.letters(GROUP, orderId);
    expect(letter?.value?.toString()).toBe(value);
    const bytesOf = (header: unknown): unknown =>
      Array.isArray(header) ? header.map((each) => Buffer.from(each)) : Buffer.from(header as string);
    for (const [name, sent] of Object.entries(headers)) {
      expect([name, bytesOf(letter?.rawHeaders[name])]).toEqual([name, bytesOf(sent)]);
    }
    const added = Object.keys(letter?.headers ?? {}).filter((name) => !(name in headers));
    expect(added.sort()).toEqual([
      'dlq-attempts',
      'dlq-error',
      'dlq-failed-at',
      'dlq-first-failed-at',
      'dlq-group',
      'dlq-origin-offset',
      'dlq-origin-partition',
      'dlq-origin-topic',
      'dlq-reason',
      'dlq-stack',
    ]);
  });
});

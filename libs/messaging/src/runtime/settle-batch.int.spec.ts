import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, decoderOf, headerNames, newId, type OrderId } from '@millrace/contracts';
import { Database } from '@millrace/database';
import type { TestDatabase } from '@millrace/database/testing';
import { messagingDatabase, recordFor, tally, TALLY_TABLE, tallyStore } from '../fixtures/index.ts';
import { TransientFailure, Unavailable } from '../handlers/failures.ts';
import { retryPolicy } from '../handlers/retry-policy.ts';
import { listParked, parkedMessages } from '../parking/operations.ts';
import { appendParked } from '../parking/parked-rows.ts';
import { applyDecisions } from './apply-decisions.ts';
import type { Incoming } from './incoming.ts';
import type { Received } from './received.ts';
import { type Known, settleBatch } from './settle-batch.ts';

const GROUP = 'test.settling';

describe('one transaction', () => {
  const decode = decoderOf([CapturePayment]);
  const broken = new Set<string>();
  let storage: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    storage = await messagingDatabase(TALLY_TABLE);
    database = new Database({ url: storage.url, applicationName: 'test' });
  });
  afterAll(async () => {
    await database.close();
    await storage.drop();
  });

  let offset = 0;
  const received = (orderId: OrderId, changed: Partial<Incoming>): Received => {
    const { id, key, value, headers } = recordFor(CapturePayment, { orderId });
    const incoming: Incoming = {
      topic: CapturePayment.topic.name,
      partition: 0,
      offset: String(offset++),
      timestampMs: Date.now(),
      key: Buffer.from(String(key)),
      value: Buffer.from(String(value)),
      ...changed,
      headers: { ...(headers as Record<string, string>), ...changed.headers },
    };
    return { incoming, decoded: decode(incoming), id, parked: undefined, span: undefined };
  };
  const arriving = (orderId: OrderId): Received => received(orderId, {});
  const settle = async (batch: readonly Received[], known: Known = {}): Promise<readonly string[]> => {
    const apply = applyDecisions('test', tallyStore as never, (state, message, context) => {
      if (broken.has(message.id)) throw new TransientFailure('not yet', { retryAfterMs: 1000 });
      return tally(state as never, message as never, context);
    });
    const { ends } = await database.transaction((tx) =>
      settleBatch(tx, { group: GROUP, policy: retryPolicy(), keepsPositions: false }, batch, apply, known),
    );
    return batch.map((received) => ends.get(received)?.kind ?? 'nothing');
  };
  /** The queue of a key, as a replica takes it on. */
  const queued = async (key: string): Promise<readonly Received[]> =>
    (await parkedMessages(database, GROUP, key)).map(({ seq, incoming, redrives, redriveOf }) => {
      const decoded = decode(incoming);
      return {
        incoming,
        decoded,
        id: undefined,
        parked: { key, seq, redrives, redriveOf, attempts: 0, lease: '', leasedAtMs: 0 },
        span: undefined,
      };
    });
  const idsOf = (messages: readonly Received[]) =>
    messages.map(({ decoded }) => (decoded.kind === 'message' ? decoded.message.id : ''));
  const applied = async (orderId: OrderId): Promise<readonly string[]> =>
    (await database.query<{ applied: string[] }>('SELECT applied FROM tally WHERE order_id = $1', [orderId])).rows[0]
      ?.applied ?? [];
  const parkedKey = async (key: string) => (await listParked(database, { group: GROUP, key }))[0];

  it('parks the first of a key that fails, queues those of its key behind it, and applies the others', async () => {
    const [one, two] = [newId<OrderId>(), newId<OrderId>()];
    const batch = [one, two, one, one, two].map(arriving);
    broken.add(batch[2]?.id ?? '');
    expect(await settle(batch)).toEqual(['applied', 'applied', 'parked', 'queued', 'applied']);
    expect(await applied(one)).toEqual([batch[0]?.id]);
    expect(await applied(two)).toEqual([batch[1]?.id, batch[4]?.id]);
    expect(idsOf(await queued(one))).toEqual([batch[2]?.id, batch[3]?.id]);
    expect(await parkedKey(one)).toMatchObject({
      attempts: 1,
      messages: 2,
      failure: { error: 'TransientFailure: not yet' },
    });
    // Delivered once more, all of it is known.
    expect(new Set(await settle(batch))).toEqual(new Set(['duplicate']));
    const late = arriving(one);
    expect(await settle([late])).toEqual(['queued']);
    expect((await parkedKey(one))?.attempts).toBe(1);
    broken.clear();
    expect(await settle(await queued(one))).toEqual(['applied', 'applied', 'applied']);
    expect(await parkedKey(one)).toBeUndefined();
    expect(await applied(one)).toEqual([batch[0]?.id, batch[2]?.id, batch[3]?.id, late.id]);
  });

  it('counts the attempts of the first of a queue, and forgets them with it', async () => {
    const orderId = newId<OrderId>();
    const batch = [orderId, orderId, orderId].map(arriving);
    for (const { id } of batch.slice(0, 2)) broken.add(id ?? '');
    await settle(batch);
    const [first, second] = await queued(orderId);
    expect(await settle(await queued(orderId))).toEqual(['parked', 'left', 'left']);
    expect(await parkedKey(orderId)).toMatchObject({ attempts: 2, messages: 3 });
    broken.delete(batch[0]?.id ?? '');
    expect(await settle(await queued(orderId))).toEqual(['applied', 'parked', 'left']);
    expect(await parkedKey(orderId)).toMatchObject({ attempts: 1, messages: 2 });
    // By one whose lease ran out: what is gone is gone, and what is not the first waits.
    const [, third] = await queued(orderId);
    expect(await settle([first, third].filter((each) => each !== undefined))).toEqual(['duplicate', 'left']);
    expect(await parkedKey(orderId)).toMatchObject({ attempts: 1, messages: 2 });
    broken.clear();
    expect(await settle([second].filter((each) => each !== undefined))).toEqual(['applied']);
    expect(await parkedKey(orderId)).toMatchObject({ attempts: 0, messages: 1, failure: undefined });
    expect(await settle(await queued(orderId))).toEqual(['applied']);
  });

  it('settles a parked message whose successor arrives in the same batch, before it or behind it', async () => {
    const orderId = newId<OrderId>();
    const [first, second, third] = [orderId, orderId, orderId].map(arriving);
    if (first === undefined || second === undefined || third === undefined) throw new Error('three are made');
    broken.add(first.id ?? '');
    await settle([first]);
    broken.clear();
    const parked = await queued(orderId);
    expect(await settle([second, ...parked, third], { uncalled: new Set([second]) })).toEqual([
      'queued',
      'applied',
      'queued',
    ]);
    expect(await applied(orderId)).toEqual([first.id]);
    expect(await parkedKey(orderId)).toMatchObject({ attempts: 0, messages: 2, failure: undefined });
    expect(await settle(await queued(orderId))).toEqual(['applied', 'applied']);
    expect(await applied(orderId)).toEqual([first.id, second.id, third.id]);
  });

  it('queues a message for which nobody was called although its key flows again, and it is due at once', async () => {
    const orderId = newId<OrderId>();
    const received = arriving(orderId);
    expect(await settle([received], { uncalled: new Set([received]) })).toEqual(['queued']);
    expect(await parkedKey(orderId)).toMatchObject({ attempts: 0, failure: undefined });
    expect((await parkedKey(orderId))?.nextAt.getTime()).toBeLessThanOrEqual(Date.now() + 5);
  });

  it('counts no attempt where a call found nobody', async () => {
    const orderId = newId<OrderId>();
    const received = arriving(orderId);
    expect(await settle([received], { failed: new Map([[received, new Unavailable('away')]]) })).toEqual(['parked']);
    expect(await parkedKey(orderId)).toMatchObject({ attempts: 0, failure: { error: 'Unavailable: away' } });
  });

  it('keeps what is too new for it, and what follows of its key, also when that has no key', async () => {
    const headers = { [headerNames.type]: CapturePayment.wireType.replace(/\d+$/, '9') };
    const orderId = newId<OrderId>();
    const batch = [received(orderId, { headers }), arriving(orderId), received(orderId, { headers, key: null })];
    expect(await settle(batch)).toEqual(['parked', 'queued', 'parked']);
    expect((await parkedMessages(database, GROUP, orderId)).map(({ messageId }) => messageId)).toEqual([
      batch[0]?.id,
      batch[1]?.id,
    ]);
    expect((await parkedMessages(database, GROUP, '')).map(({ messageId }) => messageId)).toEqual([batch[2]?.id]);
    expect(await parkedKey(orderId)).toMatchObject({ attempts: 0, messages: 2 });
  });

  it('does not take the place of what somebody else queued at the same time', async () => {
    const orderId = newId<OrderId>();
    const [sentBack, received] = [arriving(orderId), arriving(orderId)];
    broken.add(received.id ?? '');
    const apply = applyDecisions('test', tallyStore as never, (_state, message) => {
      throw new Error(`no ${message.id}`);
    });
    await database.transaction((tx) =>
      settleBatch(
        tx,
        { group: GROUP, policy: retryPolicy(), keepsPositions: false },
        [received],
        async (...facts) => {
          // A person sends a dead letter of the key back, after the batch has looked for parked keys.
          await database.transaction(async (other) => {
            const row = { key: orderId, messageId: sentBack.id ?? '', incoming: sentBack.incoming, redrives: 1 };
            await appendParked(other, GROUP, [{ ...row, redriveOf: 'test.dlq/0/0' }]);
          });
          return apply(...facts);
        },
        {},
      ),
    );
    expect(idsOf(await queued(orderId))).toEqual([sentBack.id, received.id]);
    expect(await parkedKey(orderId)).toMatchObject({ attempts: 0, messages: 2, failure: undefined });
  });
});

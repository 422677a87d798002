import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId } from '@millrace/contracts';
import { recordFor, tally, tallyStore, Workbench } from '../fixtures/index.ts';
import { PermanentFailure } from '../handlers/failures.ts';
import { decides, type Handler } from '../handlers/handler.ts';
import { claimFresh } from '../inbox/inbox.ts';
import { partitionOf } from '../kafka/partition-of.ts';
import { untilLed } from '../kafka/topic-step.ts';
import { TestTopics } from '../testing/test-topics.ts';
import { until } from '../testing/until.ts';
import { LetterDecisions } from './decisions.ts';
import type { DeadLetter } from './letter.ts';
import { readLetters } from './read-letters.ts';
import { discard, type Edit, inOrder, Redrive, type Redriven } from './redrive.ts';

const GROUP = 'test.tally';
const TOPIC = 'payment.commands.v1';
const WHO = { by: 'ada@example', reason: 'repaired' };

describe('a dead letter', () => {
  let bench: Workbench;
  /** Messages that the handler cannot take. */
  const broken = new Set<string>();

  beforeAll(async () => {
    bench = await Workbench.open([GROUP]);
  });
  afterEach(async () => {
    await bench.stopReplicas();
  });
  afterAll(async () => {
    await bench.close();
  });

  const handler: Handler = decides({
    hears: [CapturePayment],
    store: tallyStore,
    decide: (state, message, context) => {
      if (broken.has(message.id)) throw new PermanentFailure('out-of-order', 'the till is closed');
      return tally(state, message, context);
    },
  });
  const start = () => bench.start({ [GROUP]: handler });
  const capture = (orderId: OrderId) => recordFor(CapturePayment, { orderId });

  const untilApplied = (orderId: OrderId, ids: readonly string[]): Promise<unknown> =>
    until('all of them are applied', async () => {
      const applied = await bench.applied(orderId);
      return ids.every((id) => applied.includes(id));
    });

  /** Sends messages of an order, of which those marked with `!` fail, and answers their ids when all are settled. */
  const settle = async (orderId: OrderId, marks: readonly ('!' | 'ok')[]): Promise<readonly string[]> => {
    const records = marks.map(() => capture(orderId));
    records.forEach(({ id }, index) => marks[index] === '!' && broken.add(id));
    await bench.topics.send(records);
    const failing = marks.filter((mark) => mark === '!').length;
    if (failing > 0) await bench.letters(GROUP, orderId, failing);
    await untilApplied(
      orderId,
      records.filter(({ id }) => !broken.has(id)).map(({ id }) => id),
    );
    return records.map(({ id }) => id);
  };
  const lettersOf = async (key: string): Promise<readonly DeadLetter[]> =>
    (await readLetters(bench.topics.kafka, [GROUP], { topicPrefix: bench.topics.prefix })).filter(
      (letter) => letter.record.key?.toString() === key,
    );
  const theLetterOf = async (key: string): Promise<DeadLetter> => {
    const letter = (await lettersOf(key)).at(-1);
    if (letter === undefined) throw new Error(`no letter of ${key}`);
    return letter;
  };
  const open = async (chosen: readonly DeadLetter[]): Promise<Redrive> =>
    Redrive.open({
      kafka: bench.topics.kafka,
      topicPrefix: bench.topics.prefix,
      database: bench.database,
      chosen,
      all: await readLetters(bench.topics.kafka, [GROUP], { topicPrefix: bench.topics.prefix }),
    });
  const send = async (chosen: readonly DeadLetter[], edit: Edit = {}): Promise<readonly Redriven[]> => {
    const redrive = await open(chosen);
    try {
      const outcomes: Redriven[] = [];
      for (const letter of inOrder(chosen)) outcomes.push(await redrive.send(letter, WHO, edit));
      return outcomes;
    } finally {
      await redrive.close();
    }
  };
  const kinds = (outcomes: readonly Redriven[]): readonly string[] => outcomes.map(({ kind }) => kind);

  it('is read with the record that failed, byte for byte, and with all that is known of the failure', async () => {
    await start();
    const orderId = newId<OrderId>();
    const record = capture(orderId);
    broken.add(record.id);
    const odd = Buffer.from([0xff, 0, 0x80]);
    await bench.topics.send([{ ...record, headers: { ...record.headers, odd, twice: ['one', 'two'] } }]);
    await bench.letters(GROUP, orderId);
    const letter = await theLetterOf(orderId);
    expect(letter).toMatchObject({
      group: GROUP,
      type: 'millrace.CapturePayment.v1',
      messageId: record.id,
      reason: 'out-of-order',
      error: 'PermanentFailure: the till is closed',
      attempts: 1,
      redrives: 0,
      redriveOf: undefined,
      origin: { topic: TOPIC },
    });
    expect(letter.stack).toContain('redrive.int.spec');
    expect(letter.failedAt?.getTime()).toBeGreaterThan(Date.now() - 60_000);
    expect(String(letter.record.value)).toBe(record.value);
    expect(letter.record.headers).toEqual({
      ...Object.fromEntries(Object.entries(record.headers).map(([name, value]) => [name, Buffer.from(String(value))])),
      odd,
      twice: [Buffer.from('one'), Buffer.from('two')],
    });
  });

  it('is applied once when it is sent back, and stays as it is the second time', async () => {
    await start();
    const orderId = newId<OrderId>();
    const ids = await settle(orderId, ['ok', '!']);
    broken.clear();
    const letter = await theLetterOf(orderId);
    expect(await send([letter])).toEqual([
      { kind: 'redriven', behind: 0, isHeld: false, overtaken: { newer: [], isLogCut: false } },
    ]);
    await untilApplied(orderId, ids);
    expect(await send([letter])).toMatchObject([
      { kind: 'decided-before', decision: { decision: 'redriven', ...WHO, isEdited: false } },
    ]);
    const [after] = await settle(orderId, ['ok']);
    expect(await bench.applied(orderId)).toEqual([...ids, after]);
    expect((await LetterDecisions.load(bench.database, GROUP)).of(letter)).toMatchObject({ ...WHO });
    expect(await lettersOf(orderId)).toHaveLength(1);
  });

  it('is applied once when two people send it back at the same time', async () => {
    await start();
    const orderId = newId<OrderId>();
    const ids = await settle(orderId, ['!']);
    broken.clear();
    const letter = await theLetterOf(orderId);
    const outcomes = await Promise.all([send([letter]), send([letter])]);
    expect(kinds(outcomes.flat()).toSorted()).toEqual(['decided-before', 'redriven']);
    await untilApplied(orderId, ids);
    const [after] = await settle(orderId, ['ok']);
    expect(await bench.applied(orderId)).toEqual([...ids, after]);
  });

  it('is one letter, also when its topic got it twice', async () => {
    await start();
    const orderId = newId<OrderId>();
    const ids = await settle(orderId, ['!']);
    broken.clear();
    const [copy] = await bench.letters(GROUP, orderId);
    if (copy === undefined) throw new Error('no letter to copy');
    await bench.topics.send([{ ...copy, headers: { ...copy.headers } }]);
    expect(kinds(await send(await lettersOf(orderId)))).toEqual(['redriven', 'decided-before']);
    await untilApplied(orderId, ids);
    const [after] = await settle(orderId, ['ok']);
    expect(await bench.applied(orderId)).toEqual([...ids, after]);
  });

  it('that fails again is counted and says where it came from', async () => {
    await start();
    const orderId = newId<OrderId>();
    await settle(orderId, ['!']);
    const letter = await theLetterOf(orderId);
    expect(kinds(await send([letter]))).toEqual(['redriven']);
    await bench.letters(GROUP, orderId, 2);
    const next = await theLetterOf(orderId);
    expect(next).toMatchObject({
      redrives: 1,
      redriveOf: `${GROUP}.dlq/${letter.partition}/${letter.offset}`,
      origin: letter.origin,
      messageId: letter.messageId,
    });
    expect(next.record).toEqual(letter.record);
    broken.clear();
    expect(kinds(await send([next]))).toEqual(['redriven']);
    await untilApplied(orderId, [String(letter.messageId)]);
  });

  it('that came back three times is sent back again only when somebody insists', async () => {
    await start();
    const orderId = newId<OrderId>();
    await settle(orderId, ['!']);
    broken.clear();
    const [letter] = await bench.letters(GROUP, orderId);
    if (letter === undefined) throw new Error('no letter');
    await bench.topics.send([{ ...letter, headers: { ...letter.headers, 'dlq-redrives': '3' } }]);
    const tired = await theLetterOf(orderId);
    expect(await send([tired])).toEqual([{ kind: 'too-often', redrives: 3 }]);
    expect(await bench.applied(orderId)).toEqual([]);
    expect(kinds(await send([tired], { again: true }))).toEqual(['redriven']);
    await untilApplied(orderId, [String(tired.messageId)]);
  });

  it('does not come after newer messages of its key unless somebody says that this is fine', async () => {
    await start();
    const orderId = newId<OrderId>();
    const [first, second, third] = await settle(orderId, ['!', 'ok', 'ok']);
    broken.clear();
    const letter = await theLetterOf(orderId);
    const [refused] = await send([letter]);
    expect(refused).toMatchObject({
      kind: 'late',
      overtaken: {
        isLogCut: false,
        newer: [second, third].map((messageId) => ({ messageId, topic: TOPIC, type: 'millrace.CapturePayment.v1' })),
      },
    });
    expect((await LetterDecisions.load(bench.database, GROUP)).of(letter)).toBeUndefined();
    expect(await send([letter], { isLateFine: true })).toMatchObject([{ kind: 'redriven' }]);
    await untilApplied(orderId, [first, second, third].map(String));
    expect(await bench.applied(orderId)).toEqual([second, third, first]);
  });

  it('comes before newer messages that its group has not settled yet', async () => {
    const replica = await start();
    const orderId = newId<OrderId>();
    const ids = await settle(orderId, ['!']);
    broken.clear();
    await replica.stop();
    const behind = await bench.send(CapturePayment, [{ orderId }, { orderId }]);
    expect(kinds(await send([await theLetterOf(orderId)]))).toEqual(['redriven']);
    await start();
    await untilApplied(orderId, [...ids, ...behind]);
    expect(await bench.applied(orderId)).toEqual([...ids, ...behind]);
  });

  it('waits for newer messages that are being settled at this moment, and sees them', async () => {
    const replica = await start();
    const orderId = newId<OrderId>();
    await settle(orderId, ['!']);
    broken.clear();
    const letter = await theLetterOf(orderId);
    await replica.stop();
    const [newer = ''] = await bench.send(CapturePayment, [{ orderId }]);
    const redrive = await open([letter]);
    const outcome = await bench.database.transaction(async (batch) => {
      await claimFresh(batch, GROUP, [newer]);
      const sending = redrive.send(letter, WHO);
      await until('the redrive waits for the batch', async () => {
        const { rows } = await batch.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND relation = 'messaging.inbox'::regclass`,
        );
        return rows[0]?.n === 1;
      });
      return { sending };
    });
    expect(await outcome.sending).toMatchObject({ kind: 'late', overtaken: { newer: [{ messageId: newer }] } });
    await redrive.close();
  });

  it('goes back with others of its key in the order in which they came, as newer ones that failed have not been applied', async () => {
    await start();
    const orderId = newId<OrderId>();
    const ids = await settle(orderId, ['!', '!', '!']);
    broken.clear();
    expect(kinds(await send((await lettersOf(orderId)).toReversed()))).toEqual(['redriven', 'redriven', 'redriven']);
    await untilApplied(orderId, ids);
    expect(await bench.applied(orderId)).toEqual(ids);
  });

  it('is late when a newer one that failed was sent back before it', async () => {
    await start();
    const orderId = newId<OrderId>();
    const [, second] = await settle(orderId, ['!', '!']);
    broken.clear();
    const [one, other] = inOrder(await lettersOf(orderId));
    if (one === undefined || other === undefined) throw new Error('two letters were expected');
    expect(kinds(await send([other]))).toEqual(['redriven']);
    expect(await send([one])).toMatchObject([{ kind: 'late', overtaken: { newer: [{ messageId: second }] } }]);
  });

  it('is not late because of a newer one that was discarded', async () => {
    await start();
    const orderId = newId<OrderId>();
    const [first] = await settle(orderId, ['!', '!']);
    broken.clear();
    const [one, other] = inOrder(await lettersOf(orderId));
    if (one === undefined || other === undefined) throw new Error('two letters were expected');
    expect(await discard(bench.database, other, WHO)).toBeUndefined();
    expect(await discard(bench.database, other, WHO)).toMatchObject({ decision: 'discarded', ...WHO });
    expect(kinds(await send([one, other]))).toEqual(['redriven', 'decided-before']);
    await untilApplied(orderId, [String(first)]);
  });

  it('is rehearsed without a trace', async () => {
    await start();
    const orderId = newId<OrderId>();
    await settle(orderId, ['!']);
    broken.clear();
    const letter = await theLetterOf(orderId);
    const redrive = await open([letter]);
    expect(await redrive.rehearse(letter)).toMatchObject({ kind: 'redriven' });
    expect(await redrive.rehearse(letter)).toMatchObject({ kind: 'redriven' });
    await redrive.close();
    const { rows } = await bench.database.query(
      'SELECT FROM messaging.parked_message WHERE key = $1 UNION ALL SELECT FROM messaging.dead_letter_decision WHERE origin = $2',
      [orderId, `${TOPIC}/${letter.origin.partition}/${letter.origin.offset}`],
    );
    expect(rows).toEqual([]);
  });

  it('that is no message goes back with a body that fits its contract and its key, and with no other', async () => {
    await start();
    const orderId = newId<OrderId>();
    const record = { ...capture(orderId), value: '{"orderId": 5}' };
    await bench.topics.send([record]);
    await bench.letters(GROUP, orderId);
    const letter = await theLetterOf(orderId);
    const bodyOf = (id: unknown) => Buffer.from(JSON.stringify({ orderId: id }));
    expect(await send([letter])).toMatchObject([{ kind: 'no-message', detail: expect.stringContaining('orderId') }]);
    expect(await send([letter], { body: Buffer.from('{') })).toMatchObject([
      { kind: 'no-message', detail: expect.stringContaining('JSON') },
    ]);
    expect(await send([letter], { body: bodyOf(newId()) })).toMatchObject([
      { kind: 'no-message', detail: expect.stringContaining('key') },
    ]);
    expect(await bench.applied(orderId)).toEqual([]);
    expect(kinds(await send([letter], { body: bodyOf(orderId) }))).toEqual(['redriven']);
    await untilApplied(orderId, [record.id]);
    const { rows } = await bench.database.query<{ body_before: Buffer; body_after: Buffer; decided_by: string }>(
      'SELECT body_before, body_after, decided_by FROM messaging.dead_letter_decision WHERE message_id = $1',
      [record.id],
    );
    expect(rows.map((row) => [String(row.body_before), String(row.body_after), row.decided_by])).toEqual([
      [record.value, JSON.stringify({ orderId }), WHO.by],
    ]);
  });

  it('of which the log tells no more what came after it is not sent back silently', async () => {
    await start();
    const orderId = newId<OrderId>();
    const [first] = await settle(orderId, ['!', 'ok']);
    broken.clear();
    const letter = await theLetterOf(orderId);
    const admin = bench.topics.kafka.admin();
    await admin.connect();
    const topic = bench.topics.prefix + TOPIC;
    await admin.fetchTopicOffsets(topic); // or kafkajs would not know who leads it
    await admin.deleteTopicRecords({
      topic,
      partitions: [{ partition: letter.origin.partition, offset: '-1' }],
    });
    await admin.disconnect();
    expect(await send([letter])).toMatchObject([{ kind: 'late', overtaken: { newer: [], isLogCut: true } }]);
    expect(kinds(await send([letter], { isLateFine: true }))).toEqual(['redriven']);
    await untilApplied(orderId, [String(first)]);
  });

  it('is compared with what was said of its key after its topic had grown', async () => {
    await start();
    const orders: OrderId[] = [];
    while (orders.length < 8) {
      const orderId = newId<OrderId>();
      if (partitionOf(Buffer.from(orderId), 16) >= 6) orders.push(orderId);
    }
    for (const orderId of orders) await settle(orderId, ['!']);
    broken.clear();
    await bench.stopReplicas();
    const admin = bench.topics.kafka.admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic: bench.topics.prefix + TOPIC, count: 16 }] });
    // A producer that is told of six would send the newer ones where the older are.
    await untilLed(admin, [{ name: bench.topics.prefix + TOPIC, partitions: 16 }], '');
    await admin.disconnect();
    const grown = new TestTopics(undefined, bench.topics.prefix);
    await grown.send(orders.map(capture));
    await start();
    for (const orderId of orders)
      await until('the newer one is applied', async () => (await bench.applied(orderId)).length);
    const moved = (await grown.read(TOPIC)).filter(({ partition }) => partition >= 6);
    await grown.close();
    expect(moved).toHaveLength(orders.length);
    const letters = await Promise.all(moved.map(({ key }) => theLetterOf(String(key))));
    expect(await send(letters)).toEqual(letters.map(() => expect.objectContaining({ kind: 'late' })));
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId } from '@millrace/contracts';
import { Workbench } from '@millrace/messaging/fixtures';
import { until } from '@millrace/messaging/testing';
import { book, scale, WEIGHTS_TABLE } from './weighing.ts';

const SCALE = 'test.scale';
const BOOK = 'test.book';
// Several for each of six partitions, so that two replicas both have work.
const ORDERS = 60;

let bench: Workbench;

beforeAll(async () => {
  bench = await Workbench.open([SCALE, BOOK], WEIGHTS_TABLE);
});
afterEach(() => bench.stopReplicas());
afterAll(() => bench.close());

const newOrders = (count = ORDERS) => Array.from({ length: count }, () => newId<OrderId>());
const weigh = (orders: readonly OrderId[]) =>
  bench.send(
    CapturePayment,
    orders.map((orderId) => ({ orderId })),
  );

/** What was written down for these orders. */
async function effects(orders: readonly OrderId[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const { rows } = await bench.database.query<{ order_id: string; effects: string[] }>(
    'SELECT order_id, effects FROM weights WHERE order_id = ANY($1::uuid[])',
    [orders],
  );
  return new Map(rows.map((row) => [row.order_id, row.effects]));
}

const untilWritten = (orders: readonly OrderId[]) =>
  until('every weight is written down', async () => {
    const found = await effects(orders);
    return found.size === orders.length && found;
  });

/** Waits until the group has read all that the topic holds. */
async function untilRead(group: string, topic: string): Promise<void> {
  const ends = await bench.topics.read(topic);
  const next = new Map<string, bigint>();
  for (const { partition, offset } of ends) next.set(`${topic}/${partition}`, BigInt(offset) + 1n);
  await until(`${group} has read ${topic}`, async () => {
    const committed = await bench.committed(group);
    return [...next].every(([place, offset]) => BigInt(committed.get(place) ?? -1) >= offset);
  });
}

const said = async (orders: readonly OrderId[]) => {
  const keys = new Set<string | null>(orders);
  const records = await bench.topics.read('shipping.events.v1');
  return records.filter(({ key }) => keys.has(key));
};

const noLetters = async () => expect(await bench.topics.read(`${BOOK}.dlq`)).toEqual([]);

describe('old and new builds side by side', () => {
  it('a new reader understands an old writer', async () => {
    await Promise.all([bench.start({ [SCALE]: scale('old') }), bench.start({ [BOOK]: book('new') })]);
    const orders = newOrders();
    await weigh(orders);
    const found = await untilWritten(orders);
    expect([...found.values()]).toEqual(orders.map(() => ['new:700']));
    await noLetters();
  });

  it('an old reader understands a new writer, which says both versions under one id, the newer first', async () => {
    await Promise.all([bench.start({ [SCALE]: scale('new') }), bench.start({ [BOOK]: book('old') })]);
    const orders = newOrders();
    await weigh(orders);
    const found = await untilWritten(orders);
    expect([...found.values()]).toEqual(orders.map(() => ['old:700 g']));
    const records = await said(orders);
    for (const orderId of orders) {
      const copies = records.filter(({ key }) => key === orderId).map(({ headers }) => headers);
      expect(copies.map((headers) => headers['ce_type'])).toEqual([
        'millrace.ParcelWeighed.v2',
        'millrace.ParcelWeighed.v1',
      ]);
      expect(new Set(copies.map((headers) => headers['ce_id'])).size).toBe(1);
    }
    await noLetters();
  });

  it('old and new replicas of one group do each thing once, also when they take over from one another', async () => {
    await bench.start({ [SCALE]: scale('new') });
    const old = await bench.start({ [BOOK]: book('old') });
    const before = newOrders();
    await weigh(before);
    await untilWritten(before);
    await bench.start({ [BOOK]: book('new') });
    const during = newOrders(ORDERS * 4);
    await weigh(during);
    // Somewhere in the middle the old one goes, and the new one goes on wherever it stood: between two copies, too.
    await until('some are written down', async () => (await effects(during)).size > ORDERS);
    await old.stop();
    const after = newOrders();
    await weigh(after);
    const all = [...before, ...during, ...after];
    await untilWritten(all);
    await untilRead(BOOK, 'shipping.events.v1');
    for (const [orderId, done] of await effects(all))
      expect([orderId, done]).toEqual([orderId, [expect.stringMatching(/700/)]]);
    const builds = (found: ReadonlyMap<string, readonly string[]>) =>
      new Set([...found.values()].flat().map((effect) => effect.split(':')[0]));
    expect(builds(await effects(before))).toEqual(new Set(['old']));
    expect(builds(await effects(after))).toEqual(new Set(['new']));
    await noLetters();
  });

  it('an old reader lets what is too new wait for a new one, which applies it once and in order', async () => {
    const hasty = await bench.start({ [SCALE]: scale('hasty') });
    const old = await bench.start({ [BOOK]: book('old') });
    const orders = newOrders(5);
    await weigh(orders);
    const parked = () =>
      bench.database.query<{ key: string }>('SELECT key FROM messaging.parked_message WHERE consumer_group = $1', [
        BOOK,
      ]);
    await until('all of them wait', async () => (await parked()).rows.length === orders.length);
    // What the old one could read does not overtake what waits under the same key.
    await hasty.stop();
    await bench.start({ [SCALE]: scale('old') });
    await weigh(orders);
    await until('the later ones wait, too', async () => (await parked()).rows.length === 2 * orders.length);
    expect(await effects(orders)).toEqual(new Map());
    await bench.start({ [BOOK]: book('new') });
    await old.stop();
    await until('every weight is written down', async () => {
      const found = await effects(orders);
      return [...found.values()].filter((done) => done.length === 2).length === orders.length;
    });
    expect([...(await effects(orders)).values()]).toEqual(orders.map(() => ['new:700', 'new:700']));
    await noLetters();
  });

  it('all that was said in two versions has no second effect when a group reads it again from the beginning', async () => {
    await bench.start({ [BOOK]: book('new') });
    await untilRead(BOOK, 'shipping.events.v1');
    const { rows: before } = await bench.database.query('SELECT * FROM weights ORDER BY order_id');
    await bench.stopReplicas();
    const admin = bench.topics.kafka.admin();
    await admin.connect();
    // A farewell that came too late for the broker is made up for when the session of its member ends.
    await until('the group has no members and begins anew', () =>
      admin
        .resetOffsets({
          groupId: bench.topics.prefix + BOOK,
          topic: `${bench.topics.prefix}shipping.events.v1`,
          earliest: true,
        })
        .then(
          () => true,
          () => false,
        ),
    );
    await admin.disconnect();
    await bench.start({ [BOOK]: book('new') });
    await untilRead(BOOK, 'shipping.events.v1');
    const { rows: again } = await bench.database.query('SELECT * FROM weights ORDER BY order_id');
    expect(again).toEqual(before);
    await noLetters();
  });
});

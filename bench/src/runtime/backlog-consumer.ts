import { CapturePayment, type MessageOf, type OrderId } from '@millrace/contracts';
import { decides, keyedStore } from '@millrace/messaging';
import { scraped, startReplica } from '@millrace/messaging/fixtures';
import { TestTopics } from '@millrace/messaging/testing';
import { Metrics } from '@millrace/observability';
import { type BacklogTask, GROUP, type Progress } from './backlog-task.ts';

// Often enough to see the moment before a garbage collection.
const LOOK_EVERY_MS = 50;

const task = JSON.parse(process.argv[2] ?? '{}') as BacklogTask;

interface Count {
  readonly orderId: OrderId;
  readonly count: number;
}

/** Counts the messages of each order: one read and one write of a state for each batch, as services do. */
const store = keyedStore<Count, MessageOf<typeof CapturePayment>>({
  load: async (db, keys, lock) => {
    const { rows } = await db.query<{ order_id: OrderId; count: number }>(
      `SELECT order_id, count FROM backlog WHERE order_id = ANY($1::uuid[]) ORDER BY order_id ${lock ? 'FOR UPDATE' : ''}`,
      [keys],
    );
    return new Map(rows.map(({ order_id, count }) => [order_id, { orderId: order_id, count }]));
  },
  save: async (tx, changes) => {
    await tx.query(
      `INSERT INTO backlog SELECT * FROM unnest($1::uuid[], $2::int[])
       ON CONFLICT (order_id) DO UPDATE SET count = excluded.count`,
      [changes.map(({ key }) => key), changes.map(({ after }) => after.count)],
    );
  },
});

const rssAtStart = process.memoryUsage().rss;
const replica = await startReplica({
  url: task.url,
  topics: new TestTopics(task.brokers.join(','), task.prefix),
  handlers: {
    [GROUP]: decides({
      hears: [CapturePayment],
      store,
      decide: (before: Count | undefined, { body: { orderId } }) => ({
        state: { orderId, count: (before?.count ?? 0) + 1 },
        messages: [],
      }),
    }),
  },
});
const metrics = replica.get(Metrics);
const shown = async (name: string): Promise<number> => (await scraped(metrics, name, { group: GROUP })) ?? 0;

const most = { openRecords: 0, openBytes: 0, heapUsed: 0, arrayBuffers: 0, rss: 0 };
let settled = 0;
let told = { settled: 0, atMs: performance.now() };
while (settled < task.messages) {
  const [death] = replica.fatal;
  if (death !== undefined) throw death;
  await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  note({ heapUsed, arrayBuffers, rss });
  if (performance.now() - told.atMs < 1000) continue;
  settled = await shown('messaging_settled_total');
  note({ openRecords: await shown('messaging_open_records'), openBytes: await shown('messaging_open_bytes') });
  const perSecond = Math.round(((settled - told.settled) / (performance.now() - told.atMs)) * 1000);
  told = { settled, atMs: performance.now() };
  process.stdout.write(`${JSON.stringify({ settled, perSecond, rssAtStart, ...most } satisfies Progress)}\n`);
}
await replica.stop();

function note(now: Partial<typeof most>): void {
  for (const [name, value] of Object.entries(now) as [keyof typeof most, number][]) {
    most[name] = Math.max(most[name], value);
  }
}

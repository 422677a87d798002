import { type Database, statement } from '@millrace/database';
import type { Metrics } from '@millrace/observability';

// A full outbox is the moment in which the database has better things to do.
const LOOK_WITHIN_MS = 500;

// Counting costs about 10 ms per 100,000 rows. Whether a million or two wait changes nothing.
const COUNT_UP_TO = 1_000_000;

const selectOldest = statement(
  'messaging.outbox.age',
  `SELECT extract(epoch FROM clock_timestamp() - created_at)::float8 AS seconds
     FROM messaging.outbox ORDER BY seq LIMIT 1`,
);

const countRows = statement(
  'messaging.outbox.count',
  'SELECT count(*)::int AS rows FROM (SELECT 1 FROM messaging.outbox LIMIT $1) AS waiting',
);

/** What waits in the outbox, as every replica sees it, and what this relay sent. */
export class OutboxMetrics {
  readonly #sent;
  readonly #dwell;

  constructor(metrics: Metrics, database: Database) {
    this.#sent = metrics.counter({
      name: 'messaging_outbox_sent_total',
      help: 'Messages that Kafka acknowledged',
      labels: ['topic'],
    });
    this.#dwell = metrics.histogram({
      name: 'messaging_outbox_dwell_seconds',
      help: 'Time from storing a message in the outbox to its acknowledgement by Kafka',
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    });
    const oldest = metrics.gauge({
      name: 'messaging_outbox_oldest_seconds',
      help: 'Age of the oldest message that waits in the outbox; 0 when it is empty. The same for all replicas',
    });
    const rows = metrics.gauge({
      name: 'messaging_outbox_rows',
      help: 'Messages that wait in the outbox, counted up to a million. The same for all replicas',
    });
    // Asked apart, and the age first: it is cheap however much waits, and it is what people are woken for.
    metrics.lookUp({
      look: () => database.queryWithin<{ seconds: number }>(LOOK_WITHIN_MS, selectOldest()),
      show: ([first]) => oldest.set(Math.max(0, first?.seconds ?? 0)),
      hide: () => oldest.remove(),
    });
    metrics.lookUp({
      look: () => database.queryWithin<{ rows: number }>(LOOK_WITHIN_MS, countRows(COUNT_UP_TO)),
      show: ([counted]) => rows.set(counted?.rows ?? 0),
      hide: () => rows.remove(),
    });
  }

  acknowledged(sent: readonly { readonly topic: string; readonly storedAt: Date }[], atMs: number): void {
    for (const { topic, storedAt } of sent) {
      this.#sent.inc({ topic });
      // By the database's clock, where the row was read from there.
      this.#dwell.observe(Math.max(0, atMs - storedAt.getTime()) / 1000);
    }
  }
}

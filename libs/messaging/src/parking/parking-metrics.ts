import { type Database, statement } from '@millrace/database';
import type { Metrics } from '@millrace/observability';

// A database in trouble has better things to do.
const LOOK_WITHIN_MS = 500;

// Counting costs about 10 ms per 100,000 rows. Whether one hundred thousand or two are parked changes nothing.
const COUNT_UP_TO = 100_000;

interface Counts {
  readonly consumer_group: string;
  readonly waiting: number;
  readonly held: number;
  readonly messages: number;
  readonly oldest_seconds: number;
}

const count = statement(
  'messaging.parked.count',
  `SELECT consumer_group, sum(waiting)::int AS waiting, sum(held)::int AS held, sum(messages)::int AS messages,
          coalesce(max(seconds), 0)::float8 AS oldest_seconds
     FROM (SELECT consumer_group, (NOT held)::int AS waiting, held::int AS held, 0 AS messages, NULL AS seconds
             FROM (SELECT consumer_group, held FROM messaging.parked_key LIMIT $1) AS keys
           UNION ALL
           SELECT consumer_group, 0, 0, 1, extract(epoch FROM now() - parked_at)
             FROM (SELECT consumer_group, parked_at FROM messaging.parked_message LIMIT $1) AS messages) AS parked
    GROUP BY consumer_group`,
);

/** Shows what is parked in a service's database, by group: the same for all of its replicas. */
export function showParked(metrics: Metrics, database: Database, groups: readonly string[]): void {
  const keys = metrics.gauge({
    name: 'messaging_parked_keys',
    help: 'Keys whose messages queue behind one that failed, by state: waiting for the next try, or held for a person. Counted up to 100,000. The same for all replicas',
    labels: ['group', 'state'],
  });
  const messages = metrics.gauge({
    name: 'messaging_parked_messages',
    help: 'Messages in the queues of parked keys, counted up to 100,000. The same for all replicas',
    labels: ['group'],
  });
  const oldest = metrics.gauge({
    name: 'messaging_parked_oldest_seconds',
    help: 'Since when the longest of the parked messages waits; 0 when there is none. The same for all replicas',
    labels: ['group'],
  });
  metrics.lookUp({
    look: () => database.queryWithin<Counts & Record<string, unknown>>(LOOK_WITHIN_MS, count(COUNT_UP_TO)),
    show: (rows) => {
      for (const group of groups) {
        const found = rows.find((row) => row.consumer_group === group);
        keys.set({ group, state: 'waiting' }, found?.waiting ?? 0);
        keys.set({ group, state: 'held' }, found?.held ?? 0);
        messages.set({ group }, found?.messages ?? 0);
        oldest.set({ group }, found?.oldest_seconds ?? 0);
      }
    },
    hide: () => {
      for (const gauge of [keys, messages, oldest]) gauge.reset();
    },
  });
}

import type { Metrics } from '@millrace/observability';
import { type FetchGate, PAUSE_REASONS } from './fetch-gate.ts';
import type { OffsetTracker, Tracked } from './offset-tracker.ts';
import type { Received } from './received.ts';
import type { End } from './settle-batch.ts';

// From a quick batch to an outage that somebody should have noticed.
const WAIT_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Why work is done again: a message failed, the other side was away, a transaction lost a race, the database was away. */
export type RetryCause = 'failure' | 'unavailable' | 'conflict' | 'database';

/** What one member of a consumer group receives, and how long it takes. */
export class ReceivingMetrics {
  readonly #group: string;
  readonly #consumed;
  readonly #rebalances;
  readonly #handling;
  readonly #delivery;
  #assignments = 0;

  constructor(
    metrics: Metrics,
    group: string,
    tracker: OffsetTracker,
    gate: FetchGate,
    assignedPartitions: () => number,
  ) {
    this.#group = group;
    this.#consumed = metrics.counter({
      name: 'messaging_consumed_total',
      help: 'Records received, also those that are received again',
      labels: ['group', 'topic'],
    });
    this.#rebalances = metrics.counter({
      name: 'messaging_rebalances_total',
      help: 'Assignments of partitions that a member got after its first one',
      labels: ['group'],
    });
    this.#handling = metrics
      .histogram({
        name: 'messaging_handling_seconds',
        help: 'Time from receiving a record to having settled it',
        labels: ['group'],
        buckets: WAIT_BUCKETS_SECONDS,
      })
      .labels({ group });
    this.#delivery = metrics
      .histogram({
        name: 'messaging_delivery_seconds',
        help: 'Time from the timestamp of a record to having settled it',
        labels: ['group'],
        buckets: WAIT_BUCKETS_SECONDS,
      })
      .labels({ group });
    metrics.gauge({
      name: 'messaging_open_records',
      help: 'Records in memory that are received and not settled',
      labels: ['group'],
      collect: (gauge) => gauge.set({ group }, tracker.open.records),
    });
    metrics.gauge({
      name: 'messaging_open_bytes',
      help: 'What the values of the open records weigh',
      labels: ['group'],
      collect: (gauge) => gauge.set({ group }, tracker.open.bytes),
    });
    metrics.gauge({
      name: 'messaging_paused_partitions',
      help: 'Partitions of which a member fetches nothing, by reason: high-water, outage, positions, stopping or dead',
      labels: ['group', 'reason'],
      collect: (gauge) => {
        for (const reason of PAUSE_REASONS) gauge.set({ group, reason }, gate.paused(reason));
      },
    });
    metrics.gauge({
      name: 'messaging_oldest_open_seconds',
      help: 'Age of the record that was received first and is not settled; 0 when there is none',
      labels: ['group'],
      collect: (gauge) => gauge.set({ group }, secondsSince(tracker.oldestReceivedAtMs)),
    });
    metrics.gauge({
      name: 'messaging_assigned_partitions',
      help: 'Partitions that a member works on; 0 while it is not in its group',
      labels: ['group'],
      collect: (gauge) => gauge.set({ group }, assignedPartitions()),
    });
    this.#rebalances.inc({ group }, 0);
  }

  assigned(): void {
    if (this.#assignments > 0) this.#rebalances.inc({ group: this.#group });
    this.#assignments += 1;
  }

  received(topic: string, count: number): void {
    this.#consumed.inc({ group: this.#group, topic }, count);
  }

  settled(records: readonly Tracked[]): void {
    const now = Date.now();
    for (const { receivedAtMs, incoming } of records) {
      this.#handling.observe((now - receivedAtMs) / 1000);
      // Clocks of two machines may differ by more than a delivery takes.
      this.#delivery.observe(Math.max(0, now - incoming.timestampMs) / 1000);
    }
  }
}

const OUTCOMES = ['applied', 'duplicate', 'not-heard', 'parked', 'dead-lettered'] as const;

/** How the batches of one group are settled. */
export class SettlingMetrics {
  readonly #group: string;
  readonly #settled;
  readonly #deadLetters;
  readonly #retries;
  readonly #seconds;
  readonly #records;
  readonly #reasons = new Set<string>();

  constructor(metrics: Metrics, group: string) {
    this.#group = group;
    this.#settled = metrics.counter({
      name: 'messaging_settled_total',
      help: 'Records settled by outcome: applied, duplicate, not-heard, parked or dead-lettered; a parked one later counts once more, as what became of it',
      labels: ['group', 'outcome'],
    });
    this.#deadLetters = metrics.counter({
      name: 'messaging_dead_letters_total',
      help: 'Records that went to the dead letters, by reason',
      labels: ['group', 'reason'],
    });
    this.#retries = retriesOf(metrics);
    this.#seconds = metrics
      .histogram({
        name: 'messaging_batch_seconds',
        help: 'Time from the start of a batch to its commit',
        labels: ['group'],
        buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
      })
      .labels({ group });
    this.#records = metrics
      .histogram({
        name: 'messaging_batch_records',
        help: 'Records settled in one transaction',
        labels: ['group'],
        buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
      })
      .labels({ group });
    // A counter that is born with its first event shows Prometheus no increase.
    for (const outcome of OUTCOMES) this.#settled.inc({ group, outcome }, 0);
    for (const cause of ['failure', 'unavailable', 'conflict', 'database'] as const)
      this.#retries.inc({ group, cause }, 0);
  }

  settled(startedAt: number, ends: ReadonlyMap<Received, End>): void {
    const group = this.#group;
    this.#seconds.observe((performance.now() - startedAt) / 1000);
    this.#records.observe(ends.size);
    const counts = new Map<(typeof OUTCOMES)[number], number>();
    for (const [{ parked }, end] of ends) {
      const outcome = end.kind === 'queued' ? 'parked' : end.kind;
      // One that was parked already, and stays so, is counted by its retries.
      if (outcome === 'left' || (outcome === 'parked' && parked !== undefined)) continue;
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      if (end.kind !== 'dead-lettered') continue;
      this.#deadLetters.inc({ group, reason: boundedReason(end.failure.reason, this.#reasons) });
    }
    for (const [outcome, count] of counts) this.#settled.inc({ group, outcome }, count);
  }

  retried(cause: RetryCause): void {
    this.#retries.inc({ group: this.#group, cause });
  }
}

/** Counts what was done again; shared by what settles and what calls. */
export function retriesOf(metrics: Metrics): ReturnType<typeof metrics.counter<'group' | 'cause'>> {
  return metrics.counter({
    name: 'messaging_retries_total',
    help: 'Tries that failed and are made again, by cause: failure, unavailable, conflict or database',
    labels: ['group', 'cause'],
  });
}

const SLUG = /^[a-z0-9]+(?:-[a-z0-9]+){0,7}$/;
const MAX_SLUG_LENGTH = 40;

// More than any handler has; a reason that is made up anew each time must not fill the memory of Prometheus.
const MAX_REASONS = 20;

/** Reasons come from handlers: what is no slug, or one too many, is counted as `other`. */
function boundedReason(reason: string, known: Set<string>): string {
  if (known.has(reason)) return reason;
  if (reason.length > MAX_SLUG_LENGTH || !SLUG.test(reason) || known.size >= MAX_REASONS) return 'other';
  known.add(reason);
  return reason;
}

function secondsSince(timeMs: number | undefined): number {
  return timeMs === undefined ? 0 : (Date.now() - timeMs) / 1000;
}

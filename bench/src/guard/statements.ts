import type { StatementUse } from '../measure/sql-statements.ts';

/** A statement as PostgreSQL tells it apart from others, and how often it was sent. */
type Statement = Pick<StatementUse, 'text' | 'calls'>;

// Sent by the clock, whether there is work or not: how often depends on how long the run takes. What is not here counts as work.
const BY_THE_CLOCK: readonly RegExp[] = [
  // Whether the relay has something to send, which shards are its, and which topics are frozen.
  /^SELECT seq FROM messaging\.outbox/,
  /pg_locks|advisory_lock|advisory_unlock|^LISTEN|^NOTIFY|^UNLISTEN/,
  /^SELECT topic, freeze_no/,
  // Whether a parked key, a deadline, a hold, a parcel or a replay is due.
  /^UPDATE messaging\.parked_key AS p SET leased_until/,
  /^SELECT extract\(.*FROM messaging\.parked_key/,
  /WHERE wake_at <= /,
  /WHERE status = .* AND held_until <= /,
  /WHERE report_due_at <= /,
  /^UPDATE messaging\.replay SET leased_by/,
  /^DELETE FROM messaging\.inbox/,
  // What metrics, readiness, the intake and the books ask, and what a service or a session does once.
  /^SELECT count\(\*\)::int AS count FROM (messaging\.outbox|messaging\.parked_message|checkouts WHERE status NOT IN .*)$/,
  /^SELECT count\(\*\)::int AS rows FROM \(SELECT .* FROM messaging\.outbox/,
  /^SELECT \(SELECT count\(\*\)::int FROM \(SELECT .* FROM messaging\.outbox/,
  /^SELECT extract\(.* FROM clock_timestamp\(\)/,
  /^SELECT consumer_group, sum\(waiting\)/,
  /^SELECT stage, count\(\*\)::int AS checkouts/,
  /^SELECT set_config|^SET |^SELECT \$1$|^INSERT INTO messaging\.handler/,
];

const TRANSACTION = /^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)/;
const RELAY_ROUND = /^DELETE FROM messaging\.outbox/;
const SAID = /^INSERT INTO messaging\.outbox/;
// Each set of calls to the outside begins with three: what was settled, what is parked, and the states.
const SETTLED_BEFORE = /^SELECT message_id FROM messaging\.inbox WHERE consumer_group = \$1 AND message_id = ANY/;
const PARKED_BEFORE = /^SELECT key FROM messaging\.parked_key WHERE consumer_group = \$1 AND key = ANY/;
const STATEMENTS_BEFORE_CALLS = 3;
// Work that does not come from Kafka: orders that are accepted together, and what became due at the same time.
const LOCAL_BATCH = /^WITH asked AS|^SAVEPOINT/;

/** What a database did for messages, without what it does by the clock. */
export interface SqlWork {
  /** All but those that begin and end transactions. */
  readonly statements: number;
  /** Those of transactions that settle a batch. */
  readonly settling: number;
  /** Batches of work that does not come from Kafka. */
  readonly localBatches: number;
  readonly relayRounds: number;
  /** Transactions that stored messages for the relay. */
  readonly said: number;
  /** What was counted as work, the most frequent first. */
  readonly texts: readonly Statement[];
}

export function workOf(statements: readonly Statement[]): SqlWork {
  const sum = (all: readonly Statement[], which: RegExp): number =>
    all.filter(({ text }) => which.test(text)).reduce((total, { calls }) => total + calls, 0);
  const texts = statements
    .filter(({ text }) => !TRANSACTION.test(text) && !BY_THE_CLOCK.some((pattern) => pattern.test(text)))
    .toSorted((one, other) => other.calls - one.calls);
  const all = sum(texts, /^/);
  const relayRounds = sum(texts, RELAY_ROUND);
  // The smaller one: should one of them be sent for each message, what is too much counts as work.
  const setsOfCalls = Math.min(sum(texts, SETTLED_BEFORE), sum(texts, PARKED_BEFORE));
  return {
    statements: all,
    settling: all - relayRounds - STATEMENTS_BEFORE_CALLS * setsOfCalls,
    localBatches: sum(statements, LOCAL_BATCH),
    relayRounds,
    said: sum(texts, SAID),
    texts,
  };
}

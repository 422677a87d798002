import type { Database } from '@millrace/database';
import { FREEZE_LOCK_CLASS } from '../outbox/frozen-topics.ts';
import { LOOK_AT_TOPICS, NOTIFY_CHANNEL } from '../outbox/relay-channel.ts';
import { RELAY_LOCK_CLASS, RELAY_PRESENCE } from '../outbox/shard-locks.ts';

/** The database of a service that may say something on the topic. */
export interface ServiceDatabase {
  readonly name: string;
  readonly database: Database;
}

/** Somebody else holds this topic frozen. */
export class AlreadyFrozen extends Error {
  override readonly name = 'AlreadyFrozen';
}

interface Hold extends ServiceDatabase {
  readonly freeze: number;
}

/**
 * Holds a topic back in the outboxes of several databases, by a lease in each that must be renewed. Whoever made it thaws it;
 * when that does not happen the relays go on by themselves when the lease runs out.
 */
export class TopicFreeze {
  readonly #topic: string;
  readonly #leaseMs: number;
  readonly #holds: Hold[] = [];
  #safeUntil = 0;

  constructor(topic: string, leaseMs: number) {
    this.#topic = topic;
    this.#leaseMs = leaseMs;
  }

  /** @throws {AlreadyFrozen} what was frozen until then is still to be thawed. */
  async freeze(databases: readonly ServiceDatabase[], frozenBy: string): Promise<void> {
    const askedAt = performance.now();
    // One after the other and in one order, so that of two who want the same topic one gets all of it.
    for (const { name, database } of databases.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
      const { rows } = await database.query<{ freeze: number }>(
        `INSERT INTO messaging.frozen_topic AS f (topic, frozen_until, frozen_by)
         VALUES ($1, now() + $2::int * interval '1 ms', $3)
         ON CONFLICT (topic) DO UPDATE
           SET freeze_no = DEFAULT, frozen_until = excluded.frozen_until, frozen_by = excluded.frozen_by
           WHERE f.frozen_until <= now()
         RETURNING freeze_no AS freeze`,
        [this.#topic, this.#leaseMs, frozenBy],
      );
      const [row] = rows;
      if (row === undefined) throw new AlreadyFrozen(await frozenByWhom(database, this.#topic));
      this.#holds.push({ name, database, freeze: row.freeze });
      await wakeRelays(database);
    }
    this.#safeUntil = askedAt + this.#leaseMs;
  }

  /** For how long the relays hold the topic back without another renewal, in milliseconds. */
  get safeForMs(): number {
    return this.#safeUntil - performance.now();
  }

  /** Answers false where a lease ran out meanwhile: the relays have gone on, and what was drained is no longer. */
  async renew(): Promise<boolean> {
    const askedAt = performance.now();
    for (const { database, freeze } of this.#holds) {
      const { rowCount } = await database.query(
        `UPDATE messaging.frozen_topic SET frozen_until = now() + $3::int * interval '1 ms'
          WHERE topic = $1 AND freeze_no = $2 AND frozen_until > now()`,
        [this.#topic, freeze, this.#leaseMs],
      );
      if (rowCount !== 1) return false;
    }
    this.#safeUntil = askedAt + this.#leaseMs;
    return true;
  }

  /**
   * How many relays do not hold the topic back yet, because they are in the middle of a batch. A relay that appears later reads
   * first what is frozen, and sends only then.
   */
  async relaysUnderway(): Promise<number> {
    let underway = 0;
    for (const { database, freeze } of this.#holds) {
      const { rows } = await database.query<{ count: number }>(
        `WITH locks AS (
           SELECT pid, classid::bigint AS class, objid::bigint AS id FROM pg_locks
            WHERE locktype = 'advisory' AND granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
         SELECT count(*)::int AS count FROM locks relay
          WHERE relay.class = $1 AND relay.id = $2
            AND NOT EXISTS (SELECT FROM locks held WHERE held.pid = relay.pid AND held.class = $3 AND held.id = $4)`,
        [RELAY_LOCK_CLASS, RELAY_PRESENCE, FREEZE_LOCK_CLASS, freeze],
      );
      underway += rows[0]?.count ?? 0;
    }
    return underway;
  }

  /**
   * Lets the relays send again, and tells them how many partitions there are now when the topic grew. Answers the databases that
   * could not be told: their relays go on when the lease runs out, with new metadata too.
   */
  async thaw(partitions?: number): Promise<readonly string[]> {
    const untold: string[] = [];
    for (const { name, database, freeze } of this.#holds) {
      try {
        await database.query(
          `UPDATE messaging.frozen_topic
              SET frozen_until = '-infinity', partitions = coalesce($3, partitions),
                  grown_at = CASE WHEN $3::int IS NULL THEN grown_at ELSE now() END
            WHERE topic = $1 AND freeze_no = $2`,
          [this.#topic, freeze, partitions ?? null],
        );
        await wakeRelays(database);
      } catch {
        untold.push(name);
      }
    }
    return untold;
  }
}

async function wakeRelays(database: Database): Promise<void> {
  await database.query('SELECT pg_notify($1, $2)', [NOTIFY_CHANNEL, LOOK_AT_TOPICS]);
}

async function frozenByWhom(database: Database, topic: string): Promise<string> {
  const { rows } = await database.query<{ frozen_by: string }>(
    'SELECT frozen_by FROM messaging.frozen_topic WHERE topic = $1',
    [topic],
  );
  return rows[0]?.frozen_by ?? 'somebody';
}

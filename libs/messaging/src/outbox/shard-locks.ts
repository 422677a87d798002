import type { Queryable } from '@millrace/database';
import { SHARD_COUNT } from './outbox.ts';

/** The first key of our advisory locks, so that they cannot meet others of the same database: "rela" in ASCII. */
export const RELAY_LOCK_CLASS = 0x72656c61;

/** Held in shared mode by every relay that lives, so that they can be counted. */
export const RELAY_PRESENCE = SHARD_COUNT;

/**
 * The shards of one relay: advisory locks on its own session, so they end with it, however it ends. Several relays share
 * the shards evenly.
 */
export class ShardLocks {
  readonly #session: Queryable;
  readonly #held = new Set<number>();

  constructor(session: Queryable) {
    this.#session = session;
  }

  get held(): ReadonlySet<number> {
    return this.#held;
  }

  /** Tells the other relays of this database that one more is there. */
  async appear(): Promise<void> {
    await this.#session.query('SELECT pg_advisory_lock_shared($1, $2)', [RELAY_LOCK_CLASS, RELAY_PRESENCE]);
  }

  /**
   * Gives up what is more than a fair share and takes what is free and due. Only to be called while nothing is being sent:
   * a shard that is given up may be sent by another relay at once.
   */
  async balance(): Promise<void> {
    const { rows } = await this.#session.query<{ relays: number }>(
      `SELECT count(*)::int AS relays FROM pg_locks
        WHERE locktype = 'advisory' AND classid::bigint = $1 AND objid::bigint = $2 AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      [RELAY_LOCK_CLASS, RELAY_PRESENCE],
    );
    const share = Math.ceil(SHARD_COUNT / Math.max(1, rows[0]?.relays ?? 1));
    const surplus = [...this.#held].slice(share);
    if (surplus.length > 0) {
      await this.#session.query(`SELECT pg_advisory_unlock($1, s) FROM unnest($2::int[]) AS s`, [
        RELAY_LOCK_CLASS,
        surplus,
      ]);
      for (const shard of surplus) this.#held.delete(shard);
    }
    for (let shard = 0; shard < SHARD_COUNT && this.#held.size < share; shard++) {
      if (this.#held.has(shard)) continue;
      const { rows: locks } = await this.#session.query<{ locked: boolean }>(
        'SELECT pg_try_advisory_lock($1, $2) AS locked',
        [RELAY_LOCK_CLASS, shard],
      );
      if (locks[0]?.locked) this.#held.add(shard);
    }
  }
}

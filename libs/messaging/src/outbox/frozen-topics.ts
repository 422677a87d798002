import type { Queryable } from '@millrace/database';

// The first key of the advisory locks by which relays say what they hold back: "frzn" in ASCII.
export const FREEZE_LOCK_CLASS = 0x66727a6e;

// A broker that has not heard of a new partition after this long is not in the cluster any more. After that a topic may have
// fewer again: a cluster that was made anew has what is declared.
const REMEMBERED = '10 minutes';

interface FrozenTopicRow {
  readonly topic: string;
  readonly freeze: number;
  readonly is_frozen: boolean;
  readonly partitions: number | null;
}

/** What one relay knows of the topics that are given more partitions. Lives as long as the relay's session. */
export class FrozenTopics {
  readonly #session: Queryable;
  readonly #acknowledged = new Set<number>();
  #heldBack: readonly string[] = [];
  #partitions: ReadonlyMap<string, number> = new Map();
  #known = '[]';

  constructor(session: Queryable) {
    this.#session = session;
  }

  /** Topics of which nothing may be sent. */
  get heldBack(): readonly string[] {
    return this.#heldBack;
  }

  /** How many partitions a topic has at least: whoever sees fewer asks again before it sends, or keys would go astray. */
  get partitions(): ReadonlyMap<string, number> {
    return this.#partitions;
  }

  /**
   * Looks which topics are frozen and says so to whoever froze them. Only to be called while nothing is being sent: from then on
   * nothing of a frozen topic is under way. Answers whether anything changed: what a producer knows of its topics is old then.
   */
  async look(): Promise<boolean> {
    const { rows } = await this.#session.query<FrozenTopicRow>(
      `SELECT topic, freeze_no AS freeze, frozen_until > now() AS is_frozen,
              CASE WHEN grown_at > now() - interval '${REMEMBERED}' THEN partitions END AS partitions
         FROM messaging.frozen_topic ORDER BY topic`,
    );
    const seen = JSON.stringify(rows);
    if (seen === this.#known) return false;
    const frozen = rows.filter((row) => row.is_frozen);
    this.#heldBack = frozen.map(({ topic }) => topic);
    this.#partitions = new Map(
      rows.flatMap(({ topic, partitions }) => (partitions === null ? [] : [[topic, partitions]])),
    );
    await this.#acknowledge(new Set(frozen.map(({ freeze }) => freeze)));
    this.#known = seen;
    return true;
  }

  async #acknowledge(freezes: ReadonlySet<number>): Promise<void> {
    for (const freeze of this.#acknowledged) {
      if (freezes.has(freeze)) continue;
      await this.#session.query('SELECT pg_advisory_unlock_shared($1, $2)', [FREEZE_LOCK_CLASS, freeze]);
      this.#acknowledged.delete(freeze);
    }
    for (const freeze of freezes) {
      if (this.#acknowledged.has(freeze)) continue;
      await this.#session.query('SELECT pg_advisory_lock_shared($1, $2)', [FREEZE_LOCK_CLASS, freeze]);
      this.#acknowledged.add(freeze);
    }
  }
}

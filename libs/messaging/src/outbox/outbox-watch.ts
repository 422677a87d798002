import { type Database, statement } from '@millrace/database';

/** What waits in an outbox. The same for all replicas of a service. */
export interface OutboxBacklog {
  /** Messages that wait, counted up to what the watch was told. */
  readonly messages: number;
  /** Age of the oldest of them; 0 when there is none. */
  readonly oldestSeconds: number;
  /** By how many messages a second it has become smaller lately; negative while it grows. */
  readonly shrinksPerSecond: number;
}

interface Look {
  readonly messages: number;
  readonly oldestSeconds: number;
  readonly atMs: number;
}

// Two thousand orders a second are a thousand messages more between two looks: little beside any limit worth having.
const LOOK_EVERY_MS = 250;

// A database that needs longer than this to count is in trouble of its own, and its callers learn it in other ways.
const LOOK_WITHIN_MS = 500;

// Whoever has not looked for so long knows nothing.
const STALE_AFTER_MS = 5_000;

// Over less than a second the speed would be that of a single batch; over more than a few it would be that of another time.
const SPEED_OVER_AT_LEAST_MS = 1_000;
const SPEED_OVER_AT_MOST_MS = 4_000;

const look = statement(
  'messaging.outbox.backlog',
  `SELECT (SELECT count(*)::int FROM (SELECT 1 FROM messaging.outbox LIMIT $1) AS waiting) AS messages,
          (SELECT extract(epoch FROM clock_timestamp() - created_at)::float8
             FROM messaging.outbox ORDER BY seq LIMIT 1) AS seconds`,
);

/**
 * Knows how much waits in the outbox, for callers that ask at every request: asking costs nothing and waits for nobody. The
 * database is looked at four times a second while somebody asks, and not at all otherwise.
 */
export class OutboxWatch {
  readonly #database: Pick<Database, 'queryWithin'>;
  readonly #countUpTo: number;
  readonly #nowMs: () => number;
  #looks: readonly Look[] = [];
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #isLooking = false;

  /** Counting costs about 10 ms per 100,000 messages, so say how far it matters. */
  constructor(
    database: Pick<Database, 'queryWithin'>,
    { countUpTo, nowMs = () => performance.now() }: { readonly countUpTo: number; readonly nowMs?: () => number },
  ) {
    this.#database = database;
    this.#countUpTo = countUpTo;
    this.#nowMs = nowMs;
  }

  /** As of a moment ago; undefined when nobody asked for a while, or the database does not answer. */
  get backlog(): OutboxBacklog | undefined {
    const nowMs = this.#nowMs();
    if (nowMs - this.#askedAtMs >= LOOK_EVERY_MS) void this.#look();
    const last = this.#looks.at(-1);
    if (last === undefined || nowMs - last.atMs > STALE_AFTER_MS) return undefined;
    return { messages: last.messages, oldestSeconds: last.oldestSeconds, shrinksPerSecond: this.#speed(last) };
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#askedAtMs = this.#nowMs();
    try {
      const [found] = await this.#database.queryWithin<{ messages: number; seconds: number | null }>(
        LOOK_WITHIN_MS,
        look(this.#countUpTo),
      );
      const atMs = this.#nowMs();
      const { messages = 0, seconds } = found ?? {};
      this.#looks = [
        ...this.#looks.filter((earlier) => atMs - earlier.atMs <= SPEED_OVER_AT_MOST_MS),
        { messages, oldestSeconds: Math.max(0, seconds ?? 0), atMs },
      ];
    } catch {
      // Nothing is known then: an old figure is no figure.
      this.#looks = [];
    } finally {
      this.#isLooking = false;
    }
  }

  #speed(last: Look): number {
    const [first = last] = this.#looks;
    const tookMs = last.atMs - first.atMs;
    return tookMs < SPEED_OVER_AT_LEAST_MS ? 0 : ((first.messages - last.messages) / tookMs) * 1000;
  }
}

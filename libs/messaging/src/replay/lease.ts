import { type Database, statement } from '@millrace/database';
import type { ReplayState, ReplayWish } from './replay-status.ts';

// A replica that says nothing for this long is taken for dead, and another one goes on.
const LEASE_SECONDS = 6;

// How soon a wish is heard, and how fresh the shown progress is.
const RENEW_EVERY_MS = 500;

/** What a replica tells while it replays. */
export interface Progress {
  readonly state: Extract<ReplayState, 'asked' | 'reading' | 'caught-up'>;
  readonly passed: number;
  readonly total: number;
  readonly perSecond: number;
  readonly problem: string | undefined;
}

export interface Claimed {
  readonly projection: string;
  readonly replayId: string;
  readonly from: Date | undefined;
}

const claimRows = statement(
  'messaging.replay.claim',
  `UPDATE messaging.replay
      SET leased_by = $2, leased_until = clock_timestamp() + interval '${LEASE_SECONDS} seconds'
    WHERE projection = ANY($1::text[]) AND ended_at IS NULL AND leased_until < clock_timestamp()
      AND NOT (state = 'paused' AND wish = 'pause')
    RETURNING projection, replay_id, from_time`,
);

const renewRow = statement(
  'messaging.replay.renew',
  `UPDATE messaging.replay
      SET leased_until = clock_timestamp() + interval '${LEASE_SECONDS} seconds',
          state = $4, passed = $5, total = $6, per_second = $7, problem = $8
    WHERE projection = $1 AND replay_id = $2 AND leased_by = $3 AND ended_at IS NULL
    RETURNING wish, accepts_loss`,
);

/** Takes the replays of these projections that nobody is at; each is taken by one replica. */
export async function claimReplays(
  db: Database,
  projections: readonly string[],
  holder: string,
): Promise<readonly Claimed[]> {
  const { rows } = await db.query<{ projection: string; replay_id: string; from_time: Date | null }>(
    claimRows(projections, holder),
  );
  return rows.map(({ projection, replay_id, from_time }) => ({
    projection,
    replayId: replay_id,
    from: from_time ?? undefined,
  }));
}

/** One replica's hold on a replay: kept up in the background, with what people wish and what they are told. */
export class Lease {
  readonly #database: Database;
  readonly #claimed: Claimed;
  readonly #holder: string;
  readonly #progress: () => Progress;
  readonly #onNews: () => void;
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> = Promise.resolve();
  #wish: ReplayWish = 'read';
  #acceptsLoss = false;
  #isLost = false;

  constructor(options: {
    readonly database: Database;
    readonly claimed: Claimed;
    readonly holder: string;
    readonly progress: () => Progress;
    /** A wish changed, or the lease is lost. */
    readonly onNews: () => void;
  }) {
    this.#database = options.database;
    this.#claimed = options.claimed;
    this.#holder = options.holder;
    this.#progress = options.progress;
    this.#onNews = options.onNews;
  }

  get wish(): ReplayWish {
    return this.#wish;
  }

  get acceptsLoss(): boolean {
    return this.#acceptsLoss;
  }

  /** Somebody else has the replay, or it has ended. */
  get isLost(): boolean {
    return this.#isLost;
  }

  async start(): Promise<void> {
    await this.renew();
    this.#timer = setInterval(() => void this.renew(), RENEW_EVERY_MS);
  }

  /** Never rejects: with the database away the lease runs out by itself. */
  renew(): Promise<void> {
    this.#renewing = this.#renewing.then(async () => {
      if (this.#isLost) return;
      const { state, passed, total, perSecond, problem } = this.#progress();
      const { projection, replayId } = this.#claimed;
      try {
        const { rows } = await this.#database.query<{ wish: ReplayWish; accepts_loss: boolean }>(
          renewRow(projection, replayId, this.#holder, state, passed, total, perSecond, problem ?? null),
        );
        const [row] = rows;
        const isNews = row === undefined || row.wish !== this.#wish;
        if (row === undefined) this.#isLost = true;
        else {
          this.#wish = row.wish;
          this.#acceptsLoss = row.accepts_loss;
        }
        if (isNews) this.#onNews();
      } catch {
        // Tried again in a moment; the work itself meets the same trouble and tells about it.
      }
    });
    return this.#renewing;
  }

  /** A wish is fulfilled or refused; a newer one of somebody else's stays. */
  async fulfilled(wish: ReplayWish, next: ReplayWish, problem?: string): Promise<void> {
    await this.#database.query(
      `UPDATE messaging.replay SET wish = $4, problem = $5
        WHERE projection = $1 AND replay_id = $2 AND leased_by = $3 AND wish = $6 AND ended_at IS NULL`,
      [this.#claimed.projection, this.#claimed.replayId, this.#holder, next, problem ?? null, wish],
    );
    await this.renew();
  }

  /** Renews no more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
  }

  /** Lets go, so that another replica can go on at once, or nobody where it rests. */
  async release(state?: 'paused'): Promise<void> {
    await this.stop();
    await this.#database.query(
      `UPDATE messaging.replay SET leased_by = NULL, leased_until = '-infinity', state = coalesce($4, state)
        WHERE projection = $1 AND replay_id = $2 AND leased_by = $3 AND ended_at IS NULL`,
      [this.#claimed.projection, this.#claimed.replayId, this.#holder, state ?? null],
    );
  }
}

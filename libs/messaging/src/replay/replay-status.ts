import type { Queryable } from '@millrace/database';
import type { Comparison } from './comparison.ts';

/** What people want of a replay: that it reads on, rests, compares, replaces the live read model, or goes. */
export type ReplayWish = 'read' | 'pause' | 'compare' | 'swap' | 'cancel';

/** Where a replay stands; the last three are ends. `asked`: no replica of the service has taken it yet. */
export type ReplayState = 'asked' | 'reading' | 'caught-up' | 'paused' | 'swapped' | 'cancelled' | 'failed';

/** The last or present replay of a projection. */
export interface ReplayStatus {
  readonly projection: string;
  readonly replayId: string;
  /** Reads what was appended from then on; undefined: from the first record there is. */
  readonly from: Date | undefined;
  readonly askedBy: string;
  readonly askedAt: Date;
  readonly endedAt: Date | undefined;
  readonly state: ReplayState;
  readonly wish: ReplayWish;
  readonly acceptsLoss: boolean;
  /** A replica of the service is at it. */
  readonly isHeld: boolean;
  /** Offsets behind it, and all there are up to where the live projection stands. */
  readonly passed: number;
  readonly total: number;
  readonly perSecond: number;
  readonly applied: number;
  readonly duplicates: number;
  /** Messages that could not be applied: `messaging.replay_left_out` has them and why. */
  readonly leftOut: number;
  /** Why it does not go on at present, why the last swap was refused, or why it failed. */
  readonly problem: string | undefined;
  /** What is missing in the rebuilt read model; nothing: it is complete as far as it has read. */
  readonly losses: readonly string[];
  readonly notes: readonly string[];
  readonly comparison: Comparison | undefined;
}

interface Row {
  readonly projection: string;
  readonly replay_id: string;
  readonly from_time: Date | null;
  readonly asked_by: string;
  readonly asked_at: Date;
  readonly ended_at: Date | null;
  readonly state: ReplayState;
  readonly wish: ReplayWish;
  readonly accepts_loss: boolean;
  readonly is_held: boolean;
  readonly passed: number;
  readonly total: number;
  readonly per_second: number;
  readonly applied: number;
  readonly duplicates: number;
  readonly left_out: number;
  readonly problem: string | null;
  readonly losses: string[];
  readonly notes: string[];
  readonly comparison: Comparison | null;
}

/** The replays of a service, the last of each projection, also those that have ended. */
export async function listReplays(db: Queryable, projection?: string): Promise<readonly ReplayStatus[]> {
  const { rows } = await db.query<Row>(
    `SELECT projection, replay_id, from_time, asked_by, asked_at, ended_at, state, wish, accepts_loss,
            leased_until > clock_timestamp() AS is_held,
            passed::float8 AS passed, total::float8 AS total, per_second,
            applied::float8 AS applied, duplicates::float8 AS duplicates,
            (SELECT count(*)::float8 FROM messaging.replay_left_out AS l WHERE l.projection = r.projection) AS left_out,
            problem, losses, notes, comparison
       FROM messaging.replay AS r WHERE $1::text IS NULL OR projection = $1 ORDER BY projection`,
    [projection ?? null],
  );
  return rows.map((row) => ({
    projection: row.projection,
    replayId: row.replay_id,
    from: row.from_time ?? undefined,
    askedBy: row.asked_by,
    askedAt: row.asked_at,
    endedAt: row.ended_at ?? undefined,
    state: row.state,
    wish: row.wish,
    acceptsLoss: row.accepts_loss,
    isHeld: row.is_held,
    passed: row.passed,
    total: row.total,
    perSecond: row.per_second,
    applied: row.applied,
    duplicates: row.duplicates,
    leftOut: row.left_out,
    problem: row.problem ?? undefined,
    losses: row.losses,
    notes: row.notes,
    comparison: row.comparison ?? undefined,
  }));
}

/** The last or present replay of a projection; undefined when there never was one. */
export async function replayStatus(db: Queryable, projection: string): Promise<ReplayStatus | undefined> {
  return (await listReplays(db, projection))[0];
}

/** Whether it has ended, whichever way. */
export function isOver({ endedAt }: ReplayStatus): boolean {
  return endedAt !== undefined;
}

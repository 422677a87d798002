import { randomUUID } from 'node:crypto';
import type { Database, Queryable } from '@millrace/database';
import { type ReplayStatus, replayStatus, type ReplayWish } from './replay-status.ts';
import { dropShadow, shadowOf } from './shadow-schema.ts';

/** What was asked for is not possible; the text says why and what to do. */
export class ReplayRefused extends Error {
  override readonly name: string = 'ReplayRefused';
}

/** The projection is being replayed already. */
export class ReplayUnderWay extends ReplayRefused {
  override readonly name = 'ReplayUnderWay';
}

/**
 * Asks the service that owns the database to rebuild a projection beside the live one: a replica takes it within a second and
 * begins to read. Answers how it stands.
 * @throws {ReplayRefused} it is no projection, nobody has registered it, or its tables are unknown.
 * @throws {ReplayUnderWay} an earlier replay of it has not ended.
 */
export async function startReplay(
  db: Database,
  request: {
    readonly projection: string;
    /** Reads what was appended from then on, by the clocks of the producers; from the first record unless told. */
    readonly from?: Date | undefined;
    readonly askedBy: string;
    readonly acceptsLoss?: boolean;
  },
): Promise<ReplayStatus> {
  const { projection, from, askedBy, acceptsLoss = false } = request;
  await requireProjection(db, projection);
  await db.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      `INSERT INTO messaging.replay (projection, replay_id, from_time, asked_by, accepts_loss) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (projection) DO UPDATE SET
         replay_id = excluded.replay_id, from_time = excluded.from_time, asked_by = excluded.asked_by, asked_at = clock_timestamp(),
         accepts_loss = excluded.accepts_loss, wish = 'read', state = 'asked', leased_by = NULL, leased_until = '-infinity',
         passed = 0, total = 0, per_second = 0, applied = 0, duplicates = 0, problem = NULL, losses = '{}', notes = '{}',
         comparison = NULL, ended_at = NULL
       WHERE replay.ended_at IS NOT NULL`,
      [projection, randomUUID(), from ?? null, askedBy, acceptsLoss],
    );
    if (rowCount === 0) {
      throw new ReplayUnderWay(`a replay of ${projection} is under way: follow, resume or cancel it`);
    }
    await tx.query('DELETE FROM messaging.replay_position WHERE projection = $1', [projection]);
    await tx.query('DELETE FROM messaging.replay_left_out WHERE projection = $1', [projection]);
  });
  return requireReplay(db, projection);
}

async function requireProjection(db: Queryable, name: string): Promise<void> {
  const { rows } = await db.query<{ name: string; kind: string; tables: string[] }>(
    'SELECT name, kind, tables FROM messaging.handler ORDER BY name',
  );
  const handler = rows.find((row) => row.name === name);
  const projections = rows.filter(({ kind }) => kind === 'project').map((row) => row.name);
  const known = projections.length === 0 ? 'none is registered' : projections.join(', ');
  if (handler === undefined) {
    throw new ReplayRefused(`${name} is not known to this service; its projections: ${known}`);
  }
  if (handler.kind !== 'project') {
    throw new ReplayRefused(
      `${name} is a ${handler.kind} handler, not a projection: applying its messages again would act again. Projections: ${known}`,
    );
  }
  if (handler.tables.length === 0) {
    throw new ReplayRefused(
      `${name} does not name its tables (projects({ tables })), so they cannot be rebuilt beside it`,
    );
  }
}

/** Lets it rest: nothing is read, the shadow stays as it is. */
export function pauseReplay(db: Queryable, projection: string): Promise<ReplayStatus> {
  return wish(db, projection, 'pause');
}

/** Lets it read on where it stopped. */
export function resumeReplay(db: Queryable, projection: string): Promise<ReplayStatus> {
  return wish(db, projection, 'read');
}

/**
 * Asks for a comparison of shadow and live at equal positions, as soon as the replay has caught up. It is in
 * `ReplayStatus.comparison` then; an earlier one is forgotten.
 */
export function compareReplay(db: Queryable, projection: string): Promise<ReplayStatus> {
  return wish(db, projection, 'compare');
}

/**
 * Asks for the exchange of shadow and live, as soon as the replay has caught up. `ReplayStatus.state` tells that it is done;
 * `problem` why it was refused: something is missing in the shadow and nobody accepted that.
 */
export function swapReplay(
  db: Queryable,
  projection: string,
  { acceptsLoss = false }: { readonly acceptsLoss?: boolean } = {},
): Promise<ReplayStatus> {
  return wish(db, projection, 'swap', acceptsLoss);
}

/** Drops the shadow and forgets how far it was; at once where no replica is at it, otherwise within a moment. */
export async function cancelReplay(db: Database, projection: string): Promise<ReplayStatus> {
  await requireReplay(db, projection);
  await db.transaction(async (tx) => {
    const { rows } = await tx.query<{ is_held: boolean }>(
      `SELECT leased_until > clock_timestamp() AS is_held FROM messaging.replay
        WHERE projection = $1 AND ended_at IS NULL FOR UPDATE`,
      [projection],
    );
    const [active] = rows;
    if (active === undefined) return;
    if (active.is_held) {
      await tx.query(`UPDATE messaging.replay SET wish = 'cancel' WHERE projection = $1`, [projection]);
      return;
    }
    await dropShadow(tx, shadowOf(projection));
    await endReplay(tx, projection, 'cancelled');
  });
  return requireReplay(db, projection);
}

/** Notes the end of a replay, in the transaction that makes it true. */
export async function endReplay(
  tx: Queryable,
  projection: string,
  state: 'cancelled' | 'swapped' | 'failed',
  problem: string | null = null,
): Promise<void> {
  await tx.query(
    `UPDATE messaging.replay SET state = $2, ended_at = clock_timestamp(), problem = $3, leased_by = NULL, leased_until = '-infinity'
      WHERE projection = $1`,
    [projection, state, problem],
  );
}

async function wish(db: Queryable, projection: string, wanted: ReplayWish, acceptsLoss = false): Promise<ReplayStatus> {
  const { rowCount } = await db.query(
    `UPDATE messaging.replay SET wish = $2, problem = NULL, accepts_loss = accepts_loss OR $3,
            comparison = CASE WHEN $2 = 'compare' THEN NULL ELSE comparison END
      WHERE projection = $1 AND ended_at IS NULL`,
    [projection, wanted, acceptsLoss],
  );
  const status = await requireReplay(db, projection);
  if (rowCount === 0) throw new ReplayRefused(`the replay of ${projection} is over: ${status.state}`);
  return status;
}

async function requireReplay(db: Queryable, projection: string): Promise<ReplayStatus> {
  const status = await replayStatus(db, projection);
  if (status === undefined) throw new ReplayRefused(`${projection} has never been replayed`);
  return status;
}

import type { Database, Queryable } from '@millrace/database';
import type { Kafka } from '../kafka/client.ts';
import { placeOf } from '../kafka/place-of.ts';
import { logBounds } from './log-bounds.ts';
import type { Offsets } from './backlog.ts';
import type { ReplayReader } from './replay-reader.ts';
import { LeaseLost, type ReplayContext } from './shadow-batch.ts';
import { createShadow, type LiveTable } from './shadow-schema.ts';

/** The topics are not as they were when the reading began: it begins anew, from where the shadow stands. */
export class LogMoved extends Error {
  override readonly name = 'LogMoved';
}

interface Places {
  readonly kafka: Kafka;
  readonly topicPrefix: string;
  readonly context: ReplayContext;
}

/**
 * Where the shadow stands and where it began. Makes the shadow and chooses where to begin when there is none yet; partitions that came
 * later are read from their first record.
 */
export async function beginPositions(
  database: Database,
  options: Places & { readonly from: Date | undefined; readonly tables: readonly LiveTable[] },
): Promise<{ readonly begins: Offsets; readonly positions: Offsets }> {
  const { kafka, topicPrefix, context, from, tables } = options;
  const { projection, replayId, holder, handler, shadow } = context;
  const topics = [...new Set(handler.hears.map(({ topic }) => topic.name))];
  const bounds = await logBounds(kafka, topics, { topicPrefix, since: from });
  await database.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      'SELECT FROM messaging.replay WHERE projection = $1 AND replay_id = $2 AND leased_by = $3 FOR UPDATE',
      [projection, replayId, holder],
    );
    if (rowCount === 0) throw new LeaseLost(`the replay of ${projection} is no longer this replica's`);
    const known = await tx.query('SELECT FROM messaging.replay_position WHERE projection = $1 LIMIT 1', [projection]);
    if (known.rowCount === 0) await createShadow(tx, shadow, tables);
    await tx.query(
      `INSERT INTO messaging.replay_position (projection, topic, partition, first_offset, begin_offset, next_offset)
       SELECT $1, u.topic, u.partition, u.low, u.since, u.since
         FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) AS u(topic, partition, low, since)
       ON CONFLICT DO NOTHING`,
      [
        projection,
        bounds.map(({ topic }) => topic),
        bounds.map(({ partition }) => partition),
        bounds.map(({ low }) => low.toString()),
        bounds.map(({ since }) => since.toString()),
      ],
    );
  });
  return positionsOf(database, projection);
}

async function positionsOf(
  db: Queryable,
  projection: string,
): Promise<{ readonly begins: Offsets; readonly positions: Offsets }> {
  const { rows } = await db.query<{ topic: string; partition: number; begin_offset: string; next_offset: string }>(
    'SELECT topic, partition, begin_offset, next_offset FROM messaging.replay_position WHERE projection = $1',
    [projection],
  );
  const at = (offset: 'begin_offset' | 'next_offset'): Offsets =>
    new Map(rows.map((row) => [placeOf(row.topic, row.partition), BigInt(row[offset])]));
  return { begins: at('begin_offset'), positions: at('next_offset') };
}

/** What was left out so far, and the keys that wait for it. */
export async function heldBack(
  db: Queryable,
  { projection }: ReplayContext,
): Promise<{ readonly heldKeys: readonly string[]; readonly leftOut: number }> {
  const { rows } = await db.query<{ key: string; is_parked: boolean }>(
    'SELECT key, is_parked FROM messaging.replay_left_out WHERE projection = $1',
    [projection],
  );
  return { heldKeys: rows.filter(({ is_parked }) => is_parked).map(({ key }) => key), leftOut: rows.length };
}

/**
 * Nothing arrives although something lies ahead: either retention took it away, then reading goes on behind that, or the reader
 * hangs.
 * @throws {LogMoved} it hangs.
 */
export async function lookAfterLog(
  reader: ReplayReader,
  { kafka, topicPrefix, context, positions }: Places & { readonly positions: Offsets },
): Promise<void> {
  const topics = [...new Set(context.handler.hears.map(({ topic }) => topic.name))];
  const bounds = await logBounds(kafka, topics, { topicPrefix });
  const cutOff = bounds.filter(({ topic, partition, low }) => low > (positions.get(placeOf(topic, partition)) ?? low));
  if (cutOff.length === 0) throw new LogMoved('nothing arrives from Kafka');
  for (const { topic, partition, low } of cutOff) reader.skipTo(topic, partition, low);
}

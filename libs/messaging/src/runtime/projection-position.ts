import { type Queryable, statement, type Transaction } from '@millrace/database';
import { placeOf } from '../kafka/place-of.ts';

interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

const upsert = statement(
  'messaging.projection_position.upsert',
  `INSERT INTO messaging.projection_position AS p (projection, topic, partition, next_offset)
   SELECT $1, t, n, o FROM unnest($2::text[], $3::int[], $4::bigint[]) AS u(t, n, o)
   ON CONFLICT (projection, topic, partition) DO UPDATE SET next_offset = greatest(p.next_offset, excluded.next_offset)`,
);

/** Stores how far a projection has read, in the transaction that changes its read model. */
export async function storePositions(tx: Transaction, projection: string, read: readonly Place[]): Promise<void> {
  const next = new Map<string, { topic: string; partition: number; offset: bigint }>();
  for (const { topic, partition, offset } of read) {
    next.set(placeOf(topic, partition), { topic, partition, offset: BigInt(offset) + 1n });
  }
  const rows = [...next].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  await tx.query(
    upsert(
      projection,
      rows.map(({ topic }) => topic),
      rows.map(({ partition }) => partition),
      rows.map(({ offset }) => offset.toString()),
    ),
  );
}

/** Where a projection goes on reading: the next offset by `topic/partition`; a partition it never read is missing. */
export async function loadPositions(db: Queryable, projection: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await db.query<{ topic: string; partition: number; next_offset: string }>(
    'SELECT topic, partition, next_offset FROM messaging.projection_position WHERE projection = $1',
    [projection],
  );
  return new Map(rows.map(({ topic, partition, next_offset }) => [placeOf(topic, partition), next_offset]));
}

/**
 * Lets a projection read everything again from the first record: forgets its positions, which messages it knows and which
 * are parked. The caller empties the read model in the same transaction, while no replica of the service runs: a running one would go on where it
 * stands, into the empty read model. The consumer begins at the first record when it starts.
 */
export async function resetProjection(tx: Transaction, projection: string): Promise<void> {
  await tx.query('DELETE FROM messaging.projection_position WHERE projection = $1', [projection]);
  await tx.query('DELETE FROM messaging.inbox WHERE consumer_group = $1', [projection]);
  await tx.query('DELETE FROM messaging.parked_key WHERE consumer_group = $1', [projection]);
  await tx.query('DELETE FROM messaging.parked_message WHERE consumer_group = $1', [projection]);
}

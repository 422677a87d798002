import type { Queryable } from '@millrace/database';

/**
 * When the message of a record came into the read model by a swap, if it did: then it must not be applied again, although it had been
 * given up or parked before. `failedAt` is when that was.
 */
export async function broughtBySwap(
  db: Queryable,
  projection: string,
  record: {
    readonly topic: string;
    readonly partition: number;
    readonly offset: string;
    readonly failedAt: Date;
  },
): Promise<Date | undefined> {
  const { rows } = await db.query<{ swapped_at: Date }>(
    `SELECT swapped_at FROM messaging.replay_swapped
      WHERE projection = $1 AND topic = $2 AND partition = $3 AND $4::bigint >= begin_offset AND $4::bigint < next_offset
        AND $4::bigint <> ALL (left_out) AND swapped_at > $5`,
    [projection, record.topic, record.partition, record.offset, record.failedAt],
  );
  return rows[0]?.swapped_at;
}

import type { Database, Transaction } from '@millrace/database';
import type { Offsets } from './backlog.ts';
import { completeness } from './losses.ts';
import { quoted } from './quoted.ts';
import { endReplay } from './replay-requests.ts';
import { LeaseLost, type ReplayContext } from './shadow-batch.ts';
import { exchange, type LiveTable } from './shadow-schema.ts';
import { inStandstill } from './standstill.ts';

/** Something is missing in the shadow and nobody accepted that; the text says what. */
export class SwapRefused extends Error {
  override readonly name = 'SwapRefused';
}

/**
 * Puts the shadow in the place of the live read model, in one transaction and at equal positions: what the live projection writes
 * next, it writes into the rebuilt tables. Messages that are parked in the live projection and were applied to the shadow are
 * parked no more.
 * @throws {SwapRefused} @throws {NotYet} @throws {LeaseLost}
 */
export async function swapShadow(
  database: Database,
  context: ReplayContext,
  tables: readonly LiveTable[],
  options: { readonly acceptsLoss: boolean; readonly reach: (live: Offsets) => Promise<boolean> },
): Promise<void> {
  const { projection, shadow } = context;
  const refuseLoss = async (db: Database | Transaction): Promise<void> => {
    const { losses } = await completeness(db, context);
    if (losses.length > 0 && !options.acceptsLoss) throw new SwapRefused(losses.join('; '));
  };
  // Before the live projection is held up for nothing; and again when nothing changes any more.
  await refuseLoss(database);
  // The planner knows nothing of tables that were filled a moment ago.
  for (const { name } of tables) await database.query(`ANALYZE ${quoted(shadow.schema, name)}`);
  await inStandstill(database, { projection, tables }, options.reach, async (tx) => {
    await refuseLoss(tx);
    // Whoever redrives a dead letter looks for a swap and parks the message under this lock: either it is seen here, or it sees this.
    await tx.query('LOCK TABLE messaging.parked_message IN SHARE ROW EXCLUSIVE MODE');
    await unparkApplied(tx, context);
    await rememberSwap(tx, projection);
    await exchange(tx, shadow, tables);
    await requireLease(tx, context);
    await endReplay(tx, projection, 'swapped');
  });
}

async function requireLease(tx: Transaction, { projection, replayId, holder }: ReplayContext): Promise<void> {
  const { rowCount } = await tx.query(
    'SELECT FROM messaging.replay WHERE projection = $1 AND replay_id = $2 AND leased_by = $3 AND ended_at IS NULL FOR UPDATE',
    [projection, replayId, holder],
  );
  if (rowCount === 0) throw new LeaseLost(`the replay of ${projection} is no longer this replica's`);
}

/** What waited to be applied to the old tables is in the new ones. A queue that lost its head begins anew, without its failures. */
async function unparkApplied(tx: Transaction, { projection, shadow }: ReplayContext): Promise<void> {
  const { rows } = await tx.query<{ key: string; seq: string }>(
    `DELETE FROM messaging.parked_message AS p USING ${quoted(shadow.schema, 'replay_seen')} AS s
      WHERE p.consumer_group = $1 AND p.message_id = s.message_id
        AND NOT EXISTS (SELECT FROM messaging.replay_left_out AS l WHERE l.projection = $1 AND l.message_id = s.message_id)
      RETURNING p.key, p.seq`,
    [projection],
  );
  if (rows.length === 0) return;
  const gone = [rows.map(({ key }) => key), rows.map(({ seq }) => seq)];
  await tx.query(
    `DELETE FROM messaging.parked_key AS k WHERE consumer_group = $1 AND key = ANY($2::text[])
        AND NOT EXISTS (SELECT FROM messaging.parked_message AS m WHERE m.consumer_group = $1 AND m.key = k.key)`,
    [projection, gone[0]],
  );
  await tx.query(
    `UPDATE messaging.parked_key AS k
        SET attempts = 0, first_failed_at = NULL, last_failed_at = NULL, reason = NULL, error = NULL, stack = NULL,
            held = false, next_at = clock_timestamp()
       FROM (SELECT key, min(seq) AS seq FROM unnest($2::text[], $3::bigint[]) AS g(key, seq) GROUP BY key) AS gone
      WHERE k.consumer_group = $1 AND k.key = gone.key
        AND gone.seq < (SELECT min(seq) FROM messaging.parked_message AS m WHERE m.consumer_group = $1 AND m.key = k.key)`,
    [projection, ...gone],
  );
}

async function rememberSwap(tx: Transaction, projection: string): Promise<void> {
  await tx.query(
    `INSERT INTO messaging.replay_swapped (projection, topic, partition, begin_offset, next_offset, left_out, swapped_at)
     SELECT p.projection, p.topic, p.partition, p.begin_offset, p.next_offset,
            ARRAY(SELECT l.record_offset FROM messaging.replay_left_out AS l
                   WHERE l.projection = p.projection AND l.topic = p.topic AND l.partition = p.partition),
            clock_timestamp()
       FROM messaging.replay_position AS p WHERE p.projection = $1
     ON CONFLICT (projection, topic, partition) DO UPDATE SET
       begin_offset = excluded.begin_offset, next_offset = excluded.next_offset, left_out = excluded.left_out,
       swapped_at = excluded.swapped_at`,
    [projection],
  );
}

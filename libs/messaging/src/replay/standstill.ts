import type { Database, Transaction } from '@millrace/database';
import { loadPositions } from '../runtime/projection-position.ts';
import type { Offsets } from './backlog.ts';
import { quoted } from './quoted.ts';
import type { LiveTable } from './shadow-schema.ts';

/** The shadow could not reach the live positions in the short time for which the live projection may be held up. */
export class NotYet extends Error {
  override readonly name = 'NotYet';
}

// A batch of the live projection takes milliseconds; whoever holds the tables for longer is waited for another time.
const LOCK_TIMEOUT = '1s';

/**
 * Runs `work` while the live projection writes nothing, on whatever replica, and nobody else writes its tables; people go on
 * reading. `reach` brings the shadow to the given positions, in transactions of its own; `work` then sees both at the same ones.
 *
 * The locks are those that every writer takes anyway, so the live projection pays nothing for this. They are taken in the order in
 * which it takes them: what is parked, the tables, the positions.
 */
export async function inStandstill<T>(
  database: Database,
  { projection, tables }: { readonly projection: string; readonly tables: readonly LiveTable[] },
  reach: (live: Offsets) => Promise<boolean>,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  return database.transaction(async (tx) => {
    await tx.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    await tx.query('SELECT FROM messaging.parked_key WHERE consumer_group = $1 ORDER BY key FOR UPDATE', [projection]);
    await tx.query(`LOCK TABLE ${tables.map(({ schema, name }) => quoted(schema, name)).join(', ')} IN EXCLUSIVE MODE`);
    await tx.query(
      'SELECT FROM messaging.projection_position WHERE projection = $1 ORDER BY topic, partition FOR UPDATE',
      [projection],
    );
    if (!(await reach(await livePositions(tx, projection)))) throw new NotYet();
    return work(tx);
  });
}

/** Where the live projection goes on reading. */
export async function livePositions(db: Parameters<typeof loadPositions>[0], projection: string): Promise<Offsets> {
  const positions = await loadPositions(db, projection);
  return new Map([...positions].map(([place, offset]) => [place, BigInt(offset)]));
}

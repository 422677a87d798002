import type { OrderId } from '@millrace/contracts';
import { type Queryable, statement, type Transaction } from '@millrace/database';

/** A key that a request brings, and the order that it will stand for if it is new. */
export interface ClaimedKey {
  readonly key: string;
  readonly requestHash: string;
  readonly orderId: OrderId;
}

/** What is known about a key. */
export type Claim =
  | { readonly kind: 'claimed' }
  | { readonly kind: 'known'; readonly requestHash: string; readonly orderId: OrderId }
  /** Another transaction is deciding about the key right now. */
  | { readonly kind: 'in-flight' };

// An advisory lock per key makes a key that another replica works on an answer instead of a wait. The row alone would not
// do: inserting it again waits for the first transaction, and the whole batch with it. The seed keeps clear of other locks.
const CLAIM = statement(
  'order.claim-idempotency-keys',
  `WITH asked AS MATERIALIZED (
     SELECT key, request_hash, order_id, pg_try_advisory_xact_lock(hashtextextended(key, 1297043027)) AS is_free
     FROM unnest($1::text[], $2::text[], $3::uuid[]) AS request(key, request_hash, order_id)
   ), claimed AS (
     INSERT INTO idempotency_keys (key, request_hash, order_id, created_at)
     SELECT key, request_hash, order_id, $4::timestamptz FROM asked WHERE is_free
     ON CONFLICT (key) DO NOTHING
     RETURNING key
   )
   SELECT asked.key, claimed.key IS NOT NULL AS is_claimed, known.request_hash, known.order_id
   FROM asked
   LEFT JOIN claimed ON claimed.key = asked.key
   LEFT JOIN idempotency_keys known ON known.key = asked.key`,
);

const RELEASE = statement('order.release-idempotency-keys', 'DELETE FROM idempotency_keys WHERE key = ANY($1::text[])');

// Not prepared: it runs a few times an hour.
const PURGE = `DELETE FROM idempotency_keys WHERE key IN (
  SELECT key FROM idempotency_keys WHERE created_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
)`;

interface ClaimRow {
  readonly key: string;
  readonly is_claimed: boolean;
  readonly request_hash: string | null;
  readonly order_id: OrderId | null;
}

/**
 * Claims every key that is new, in one statement that waits for nobody. Each key may occur once. Until the transaction ends,
 * others see its keys as in flight.
 */
export async function claimKeys(
  tx: Transaction,
  keys: readonly ClaimedKey[],
  now: Date,
): Promise<ReadonlyMap<string, Claim>> {
  const { rows } = await tx.query<ClaimRow>(
    CLAIM(
      keys.map(({ key }) => key),
      keys.map(({ requestHash }) => requestHash),
      keys.map(({ orderId }) => orderId),
      now,
    ),
  );
  return new Map(rows.map((row) => [row.key, claimOf(row)]));
}

function claimOf({ is_claimed: isClaimed, request_hash: requestHash, order_id: orderId }: ClaimRow): Claim {
  if (isClaimed) return { kind: 'claimed' };
  // Neither claimed nor seen: locked by another replica, or committed by one after this statement began.
  if (requestHash === null || orderId === null) return { kind: 'in-flight' };
  return { kind: 'known', requestHash, orderId };
}

/** Gives keys back that were claimed in the same transaction, so that a corrected request can use them. */
export async function releaseKeys(tx: Transaction, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await tx.query(RELEASE(keys));
}

/** Forgets at most `limit` keys from before `olderThan`; resolves with how many. Replicas share the work. */
export async function purgeKeys(db: Queryable, olderThan: Date, limit: number): Promise<number> {
  const { rowCount } = await db.query(PURGE, [olderThan, limit]);
  return rowCount ?? 0;
}

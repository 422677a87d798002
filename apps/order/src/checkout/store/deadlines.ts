import type { OrderId } from '@millrace/contracts';
import { statement, type Transaction } from '@millrace/database';
import { localMessage } from '@millrace/messaging';
import type { DeadlineExpired } from '../domain/checkout.ts';

// A decision that failed is not asked for again at once: somebody must be able to read the log.
const RETRY_AFTER_MS = 60_000;

const wakeCheckouts = statement(
  'checkout.wake',
  `WITH awake AS (
     SELECT order_id FROM checkouts WHERE wake_at <= $1 ORDER BY wake_at LIMIT $2 FOR UPDATE SKIP LOCKED
   )
   UPDATE checkouts SET wake_at = CASE WHEN deadline > $1 THEN deadline ELSE $3::timestamptz END
   FROM awake WHERE checkouts.order_id = awake.order_id
   RETURNING checkouts.order_id, deadline <= $1 AS is_expired, correlation_id, traceparent`,
);

interface AwakeRow {
  readonly order_id: OrderId;
  readonly is_expired: boolean;
  readonly correlation_id: string;
  readonly traceparent: string | null;
}

/**
 * The checkouts whose deadline has passed, at most `limit`, each told in the conversation and trace of its order. Their rows
 * stay locked until the transaction ends, and rows that another replica holds are left to it. Checkouts that moved on since
 * they asked to be woken go back to sleep.
 */
export async function expiredDeadlines(tx: Transaction, now: Date, limit: number): Promise<DeadlineExpired[]> {
  const retryAt = new Date(now.getTime() + RETRY_AFTER_MS);
  for (;;) {
    const { rows } = await tx.query<AwakeRow>(wakeCheckouts(now, limit, retryAt));
    const expired = rows.filter(({ is_expired }) => is_expired);
    if (expired.length > 0 || rows.length < limit) return expired.map((row) => deadlineExpired(row, now));
  }
}

function deadlineExpired({ order_id, correlation_id, traceparent }: AwakeRow, now: Date): DeadlineExpired {
  return localMessage(
    'DeadlineExpired',
    order_id,
    {},
    { source: 'order', now, correlationId: correlation_id, traceparent: traceparent ?? undefined },
  );
}

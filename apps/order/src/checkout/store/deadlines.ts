import type { OrderId } from '@millrace/contracts';
import { statement, type Transaction } from '@millrace/database';
import { localMessage } from '@millrace/messaging';
import type { DeadlineExpired } from '../domain/checkout.ts';

const wakeCheckouts = statement(
  'checkout.wake',
  `WITH awake AS (
     SELECT order_id, deadline <= $1 AS is_expired, correlation_id, traceparent FROM checkouts
     WHERE wake_at <= $1 ORDER BY wake_at LIMIT $2 FOR UPDATE SKIP LOCKED
   ), asleep AS (
     UPDATE checkouts SET wake_at = deadline FROM awake
     WHERE checkouts.order_id = awake.order_id AND NOT awake.is_expired
   )
   SELECT * FROM awake`,
);

interface AwakeRow {
  readonly order_id: OrderId;
  readonly is_expired: boolean;
  readonly correlation_id: string;
  readonly traceparent: string | null;
}

/**
 * The checkouts whose deadline has passed, at most `limit`, each told in the conversation and trace of its order. Their rows
 * stay locked until the transaction ends, and rows that another replica holds are left to it. What is not decided stays
 * due. Checkouts that moved on since they asked to be woken go back to sleep.
 */
export async function expiredDeadlines(tx: Transaction, now: Date, limit: number): Promise<DeadlineExpired[]> {
  for (;;) {
    const { rows } = await tx.query<AwakeRow>(wakeCheckouts(now, limit));
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

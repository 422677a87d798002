import type { OrderId } from '@millrace/contracts';
import { statement, type Transaction } from '@millrace/database';
import { localMessage } from '@millrace/messaging';
import type { HoldExpired } from '../domain/decide-stock.ts';

const EXPIRED_HOLDS = statement(
  'expired-holds',
  `SELECT order_id, correlation_id, traceparent FROM reservation
   WHERE status = 'held' AND held_until <= $1::timestamptz
   ORDER BY held_until LIMIT $2 FOR UPDATE SKIP LOCKED`,
);

/**
 * Holds that ran out, the longest overdue first, locked; what another replica or the checkout is working on is left to them.
 * Each is told in the conversation and trace of its order.
 */
export async function expiredHolds(tx: Transaction, now: Date, limit: number): Promise<readonly HoldExpired[]> {
  const { rows } = await tx.query<{ order_id: OrderId; correlation_id: string; traceparent: string | null }>(
    EXPIRED_HOLDS(now.toISOString(), limit),
  );
  return rows.map(({ order_id: orderId, correlation_id: correlationId, traceparent }) =>
    localMessage(
      'HoldExpired',
      orderId,
      { orderId },
      {
        source: 'inventory',
        now,
        correlationId,
        traceparent: traceparent ?? undefined,
      },
    ),
  );
}

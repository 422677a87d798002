import type { OrderId } from '@millrace/contracts';
import { type Queryable, statement } from '@millrace/database';
import { parseHistory } from '../../checkout/domain/history.ts';
import type { OrderStatus } from '../../checkout/domain/order.ts';
import { type StatusChange, statusChangesOf } from '../domain/status-changes.ts';

/** An order of which more is known now than before: all its status changes, oldest first. */
export interface StatusNews {
  readonly orderId: OrderId;
  readonly changes: readonly StatusChange[];
  /** Why it is, or was, cancelled. */
  readonly reason: string | null;
}

// Orders without news cost one look at the primary key and send nothing.
const FIND_NEWS = statement(
  'order.find-status-news',
  `SELECT order_id, status, version, reason, history
   FROM unnest($1::uuid[], $2::int[]) AS watched(order_id, seen_version)
   JOIN checkouts USING (order_id)
   WHERE version > seen_version`,
);

interface Row {
  readonly order_id: OrderId;
  readonly status: OrderStatus;
  readonly version: number;
  readonly reason: string | null;
  readonly history: string;
}

/** Which of these orders have a later version than the one seen, in one statement. Unknown orders are left out. */
export async function findStatusNews(
  db: Queryable,
  seen: ReadonlyMap<OrderId, number>,
): Promise<readonly StatusNews[]> {
  const { rows } = await db.query<Row>(FIND_NEWS([...seen.keys()], [...seen.values()]));
  return rows.map(({ order_id: orderId, status, version, reason, history }) => ({
    orderId,
    changes: statusChangesOf(status, version, parseHistory(history)),
    reason,
  }));
}

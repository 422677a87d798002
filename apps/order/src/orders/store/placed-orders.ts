import type { CustomerId, Money, OrderId, PricedLines } from '@millrace/contracts';
import { type Queryable, statement } from '@millrace/database';

/** What never changes about an order, as far as the answer to its placement tells. */
export interface PlacedOrder {
  readonly orderId: OrderId;
  readonly customerId: CustomerId;
  readonly lines: PricedLines;
  readonly total: Money;
  readonly placedAt: Date;
}

const FIND = statement(
  'order.find-placed-orders',
  `SELECT order_id, customer_id, lines, total_minor, currency, placed_at FROM orders WHERE order_id = ANY($1::uuid[])`,
);

interface Row {
  readonly order_id: OrderId;
  readonly customer_id: CustomerId;
  readonly lines: PricedLines;
  readonly total_minor: string;
  readonly currency: string;
  readonly placed_at: Date;
}

/** The orders of these ids, in one statement; without one when there are no ids. */
export async function findPlacedOrders(
  db: Queryable,
  orderIds: readonly OrderId[],
): Promise<ReadonlyMap<OrderId, PlacedOrder>> {
  if (orderIds.length === 0) return new Map();
  const { rows } = await db.query<Row>(FIND(orderIds));
  return new Map(
    rows.map((row) => [
      row.order_id,
      {
        orderId: row.order_id,
        customerId: row.customer_id,
        lines: row.lines,
        total: { amountMinor: Number(row.total_minor), currency: row.currency },
        placedAt: row.placed_at,
      },
    ]),
  );
}

import type { OrderId, Quantities, Sku } from '@millrace/contracts';
import { statement } from '@millrace/database';
import type { Reservation } from '../domain/reservation.ts';
import type { Shortage } from '../domain/stock-item.ts';

export interface ReservationRow {
  readonly order_id: OrderId;
  readonly status: Reservation['status'];
  readonly lines: Quantities;
  readonly missing: readonly Shortage[];
  readonly held_until: Date | null;
}

export interface StockRow {
  readonly sku: Sku;
  readonly on_hand: number;
  readonly reserved: number;
}

/** A reservation as its row says. */
export function reservationOf(row: ReservationRow): Reservation {
  const { order_id: orderId, status, lines, missing, held_until: heldUntil } = row;
  switch (status) {
    case 'held':
      if (heldUntil === null) throw new Error(`order ${orderId} is held without an end`);
      return { status, orderId, lines, heldUntil };
    case 'rejected':
      return { status, orderId, lines, missing };
    case 'released':
    case 'expired':
    case 'committed':
      return { status, orderId, lines };
  }
}

const RESERVATIONS = `
  SELECT order_id, status, lines, missing, held_until FROM reservation WHERE order_id = ANY($1::uuid[])`;

export const LOAD_RESERVATIONS = statement('load-reservations', RESERVATIONS);
export const LOCK_RESERVATIONS = statement('lock-reservations', `${RESERVATIONS} ORDER BY order_id FOR UPDATE`);

const ITEMS = 'SELECT sku, on_hand, reserved FROM stock WHERE sku = ANY($1::text[])';

export const LOAD_ITEMS = statement('load-stock', ITEMS);
export const LOCK_ITEMS = statement('lock-stock', `${ITEMS} ORDER BY sku FOR UPDATE`);

/**
 * Inserts what is new and moves the status of what is known, and answers how many rows that were. What was inserted by somebody
 * else meanwhile is left alone and not counted.
 */
export const SAVE_RESERVATIONS = statement(
  'save-reservations',
  `WITH change AS (
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::jsonb[], $4::jsonb[], $5::timestamptz[], $6::text[], $7::text[], $8::boolean[])
       AS change (order_id, status, lines, missing, held_until, correlation_id, traceparent, is_new)
   ), inserted AS (
     INSERT INTO reservation (order_id, status, lines, missing, held_until, correlation_id, traceparent)
     SELECT order_id, status, lines, missing, held_until, correlation_id, traceparent FROM change WHERE is_new ORDER BY order_id
     ON CONFLICT (order_id) DO NOTHING
     RETURNING order_id
   ), moved AS (
     UPDATE reservation SET status = change.status
     FROM change WHERE NOT change.is_new AND reservation.order_id = change.order_id
     RETURNING reservation.order_id
   )
   SELECT ((SELECT count(*) FROM inserted) + (SELECT count(*) FROM moved))::int AS saved`,
);

/** The rows are locked, so what was computed from them can be written as it is. */
export const SAVE_ITEMS = statement(
  'save-stock',
  `UPDATE stock SET on_hand = change.on_hand, reserved = change.reserved
   FROM unnest($1::text[], $2::int[], $3::int[]) AS change (sku, on_hand, reserved)
   WHERE stock.sku = change.sku`,
);

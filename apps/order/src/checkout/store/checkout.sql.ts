import { statement } from '@millrace/database';
import type { Checkout } from '../domain/checkout.ts';
import { historyText } from '../domain/history.ts';
import type { OrderFacts } from '../domain/order.ts';

const CHECKOUTS_OF_A_BATCH = `
  SELECT order_id, customer_id, lines, total_minor, currency, shipping_address, contact, payment_token, placed_at,
         stage, status, version, reason, cancellation_asked, stock_is_back, stock_undo_pending, payment_undo_pending,
         carrier, tracking_number, confirmed_at, ended_at, deadline, correlation_id, traceparent
  FROM checkouts JOIN orders USING (order_id)
  WHERE order_id = ANY($1::uuid[])`;

export const selectCheckouts = statement('checkout.select', CHECKOUTS_OF_A_BATCH);

export const lockCheckouts = statement(
  'checkout.lock',
  `${CHECKOUTS_OF_A_BATCH} ORDER BY order_id FOR UPDATE OF checkouts`,
);

export const insertOrders = statement(
  'checkout.insert-orders',
  `INSERT INTO orders
     (order_id, customer_id, lines, total_minor, currency, shipping_address, contact, payment_token, placed_at)
   SELECT * FROM unnest(
     $1::uuid[], $2::text[], $3::jsonb[], $4::bigint[], $5::text[], $6::jsonb[], $7::jsonb[], $8::text[], $9::timestamptz[])`,
);

/** The parameters of `insertOrders`. */
export function orderColumns(orders: readonly OrderFacts[]): unknown[][] {
  return [
    orders.map(({ orderId }) => orderId),
    orders.map(({ customerId }) => customerId),
    orders.map(({ lines }) => JSON.stringify(lines)),
    orders.map(({ total }) => total.amountMinor),
    orders.map(({ total }) => total.currency),
    orders.map(({ shippingAddress }) => JSON.stringify(shippingAddress)),
    orders.map(({ contact }) => JSON.stringify(contact)),
    orders.map(({ paymentToken }) => paymentToken),
    orders.map(({ placedAt }) => placedAt),
  ];
}

export const insertCheckouts = statement(
  'checkout.insert',
  `INSERT INTO checkouts
     (order_id, stage, status, version, reason, cancellation_asked, stock_is_back, stock_undo_pending,
      payment_undo_pending, carrier, tracking_number, confirmed_at, ended_at, deadline, history, correlation_id,
      traceparent, wake_at)
   SELECT *, deadline FROM unnest(
     $1::uuid[], $2::text[], $3::text[], $4::int[], $5::text[], $6::bool[], $7::bool[], $8::bool[], $9::bool[], $10::text[],
     $11::text[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::text[], $16::text[], $17::text[])
     AS begun (order_id, stage, status, version, reason, cancellation_asked, stock_is_back, stock_undo_pending,
       payment_undo_pending, carrier, tracking_number, confirmed_at, ended_at, deadline, history, correlation_id,
       traceparent)`,
);

/** The parameters of `insertCheckouts`. */
export function checkoutColumns(checkouts: readonly Checkout[]): unknown[][] {
  return [
    ...progressColumns(checkouts),
    checkouts.map(({ correlationId }) => correlationId),
    checkouts.map(({ traceparent }) => traceparent),
  ];
}

// `wake_at` is indexed, so it stays where it is while it is early enough: a step then changes no index, and waking too early
// costs one look. Only the end of the order clears it.
export const updateCheckouts = statement(
  'checkout.update',
  `UPDATE checkouts
   SET stage = moved.stage, status = moved.status, version = moved.version, reason = moved.reason,
       cancellation_asked = moved.cancellation_asked, stock_is_back = moved.stock_is_back,
       stock_undo_pending = moved.stock_undo_pending, payment_undo_pending = moved.payment_undo_pending,
       carrier = moved.carrier, tracking_number = moved.tracking_number, confirmed_at = moved.confirmed_at,
       ended_at = moved.ended_at, deadline = moved.deadline, history = checkouts.history || moved.history,
       wake_at = CASE WHEN moved.deadline IS NOT NULL THEN least(checkouts.wake_at, moved.deadline) END
   FROM unnest(
     $1::uuid[], $2::text[], $3::text[], $4::int[], $5::text[], $6::bool[], $7::bool[], $8::bool[], $9::bool[], $10::text[],
     $11::text[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::text[])
     AS moved (order_id, stage, status, version, reason, cancellation_asked, stock_is_back, stock_undo_pending,
       payment_undo_pending, carrier, tracking_number, confirmed_at, ended_at, deadline, history)
   WHERE checkouts.order_id = moved.order_id`,
);

/** The parameters of `updateCheckouts`: what changes while an order is under way. */
export function progressColumns(checkouts: readonly Checkout[]): unknown[][] {
  return [
    checkouts.map(({ order }) => order.orderId),
    checkouts.map(({ stage }) => stage),
    checkouts.map(({ order }) => order.status),
    checkouts.map(({ order }) => order.version),
    checkouts.map(({ reason }) => reason),
    checkouts.map(({ cancellationAsked }) => cancellationAsked),
    checkouts.map(({ stockIsBack }) => stockIsBack),
    checkouts.map(({ undoPending }) => undoPending.stock),
    checkouts.map(({ undoPending }) => undoPending.payment),
    checkouts.map(({ tracking }) => tracking?.carrier ?? null),
    checkouts.map(({ tracking }) => tracking?.trackingNumber ?? null),
    checkouts.map(({ confirmedAt }) => confirmedAt),
    checkouts.map(({ endedAt }) => endedAt),
    checkouts.map(({ deadline }) => deadline),
    checkouts.map(({ newHistory }) => historyText(newHistory)),
  ];
}

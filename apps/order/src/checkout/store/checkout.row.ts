import type { Address, CancellationReason, Contact, CustomerId, OrderId, PricedLines } from '@millrace/contracts';
import type { Checkout, Stage } from '../domain/checkout.ts';
import type { OrderStatus } from '../domain/order.ts';

/** A checkout and its order as PostgreSQL returns them. The history stays where it is: no decision needs it. */
export interface CheckoutRow {
  readonly order_id: OrderId;
  readonly customer_id: CustomerId;
  readonly lines: PricedLines;
  readonly total_minor: string;
  readonly currency: string;
  readonly shipping_address: Address;
  readonly contact: Contact;
  readonly payment_token: string;
  readonly placed_at: Date;
  readonly stage: Stage;
  readonly status: OrderStatus;
  readonly version: number;
  readonly reason: CancellationReason | null;
  readonly cancellation_asked: boolean;
  readonly stock_is_back: boolean;
  readonly stock_undo_pending: boolean;
  readonly payment_undo_pending: boolean;
  readonly carrier: string | null;
  readonly tracking_number: string | null;
  readonly confirmed_at: Date | null;
  readonly ended_at: Date | null;
  readonly deadline: Date | null;
  readonly correlation_id: string;
  readonly traceparent: string | null;
}

export function checkoutOf(row: CheckoutRow): Checkout {
  const { carrier, tracking_number: trackingNumber } = row;
  return {
    order: {
      orderId: row.order_id,
      customerId: row.customer_id,
      lines: row.lines,
      total: { amountMinor: Number(row.total_minor), currency: row.currency },
      shippingAddress: row.shipping_address,
      contact: row.contact,
      paymentToken: row.payment_token,
      placedAt: row.placed_at,
      status: row.status,
      version: row.version,
    },
    stage: row.stage,
    reason: row.reason,
    cancellationAsked: row.cancellation_asked,
    stockIsBack: row.stock_is_back,
    undoPending: { stock: row.stock_undo_pending, payment: row.payment_undo_pending },
    tracking: carrier === null || trackingNumber === null ? null : { carrier, trackingNumber },
    confirmedAt: row.confirmed_at,
    endedAt: row.ended_at,
    deadline: row.deadline,
    correlationId: row.correlation_id,
    traceparent: row.traceparent,
    newHistory: [],
  };
}

import { CancellationReason, CustomerId, Money, OrderId, Sku } from '@millrace/contracts';
import { z } from 'zod';
import { statusChangesOf } from '../domain/status-changes.ts';
import type { OrderView } from '../store/order-reader.ts';
import type { PlacedOrder } from '../store/placed-orders.ts';
import { linksOf } from './links.ts';

export const OrderLinksBody = z
  .object({ self: z.string(), timeline: z.string(), stream: z.string(), cancellation: z.string() })
  .describe('Paths to ask for more, or to cancel');

const lines = z.array(z.object({ sku: Sku, name: z.string(), quantity: z.int(), unitPrice: Money }));

export const OrderStatusText = z
  .enum(['placed', 'confirmed', 'dispatched', 'completed', 'cancelling', 'cancelled'])
  .describe('`cancelling` is no promise: a parcel that leaves meanwhile makes the order `dispatched`');

/** The answer to a placement; a repeated request gets the same one. */
export const PlacedOrderBody = z.object({
  orderId: OrderId,
  customerId: CustomerId,
  status: z.literal('placed'),
  lines,
  total: Money,
  placedAt: z.iso.datetime(),
  links: OrderLinksBody,
});

/** An order as the API shows it. */
export const OrderBody = z.object({
  orderId: OrderId,
  customerId: CustomerId,
  status: OrderStatusText,
  version: z.int().describe('One more with every change of status'),
  reason: CancellationReason.optional().describe('Why the order is, or was, cancelled'),
  lines,
  total: Money,
  shippingAddress: z.object({
    name: z.string(),
    email: z.string(),
    street: z.string(),
    postcode: z.string(),
    city: z.string(),
    country: z.string(),
  }),
  tracking: z.object({ carrier: z.string(), trackingNumber: z.string() }).optional().describe('Once dispatched'),
  placedAt: z.iso.datetime(),
  updatedAt: z.iso.datetime().describe('When the status changed last'),
  confirmedAt: z.iso.datetime().optional(),
  endedAt: z.iso.datetime().optional().describe('When the order was completed or cancelled'),
  links: OrderLinksBody,
});
export type OrderBody = z.input<typeof OrderBody>;

// Field by field: the database returns the members of JSON in an order of its own, and a replayed answer must be the same
// bytes as the first.
function linesOf(order: Pick<OrderView, 'lines'>): OrderBody['lines'] {
  return order.lines.map(({ sku, name, quantity, unitPrice: { amountMinor, currency } }) => ({
    sku,
    name,
    quantity,
    unitPrice: { amountMinor, currency },
  }));
}

export function placedOrderBody(order: PlacedOrder): z.input<typeof PlacedOrderBody> {
  const { orderId, customerId, total, placedAt } = order;
  return {
    orderId,
    customerId,
    status: 'placed',
    lines: linesOf(order),
    total,
    placedAt: placedAt.toISOString(),
    links: linksOf(orderId),
  };
}

export function orderBody(order: OrderView): OrderBody {
  const { orderId, customerId, status, version, total, shippingAddress, contact, carrier, trackingNumber } = order;
  const { reason, placedAt, confirmedAt, endedAt, history } = order;
  const { name, street, postcode, city, country } = shippingAddress;
  return {
    orderId,
    customerId,
    status,
    version,
    ...(reason === null ? {} : { reason: reason as CancellationReason }),
    lines: linesOf(order),
    total,
    shippingAddress: { name, email: contact.email, street, postcode, city, country },
    ...(carrier === null || trackingNumber === null ? {} : { tracking: { carrier, trackingNumber } }),
    placedAt: placedAt.toISOString(),
    updatedAt: statusChangesOf(status, version, history).at(-1)?.at ?? placedAt.toISOString(),
    ...(confirmedAt === null ? {} : { confirmedAt: confirmedAt.toISOString() }),
    ...(endedAt === null ? {} : { endedAt: endedAt.toISOString() }),
    links: linksOf(orderId),
  };
}

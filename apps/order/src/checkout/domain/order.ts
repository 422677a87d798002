import {
  type Address,
  type CancellationReason,
  type Contact,
  type CustomerId,
  type Money,
  OrderCancelled,
  OrderCompleted,
  OrderConfirmed,
  OrderDispatched,
  type OrderId,
  OrderPlaced,
  type PricedLines,
  type Quantities,
  type Said,
} from '@millrace/contracts';

/** What the customer sees of an order. `cancelling` is no promise: a parcel that leaves meanwhile is `dispatched`. */
export type OrderStatus = 'placed' | 'confirmed' | 'dispatched' | 'completed' | 'cancelling' | 'cancelled';

/** What a customer ordered, at the prices of that moment. Never changes. */
export interface OrderFacts {
  readonly orderId: OrderId;
  readonly customerId: CustomerId;
  readonly lines: PricedLines;
  readonly total: Money;
  readonly shippingAddress: Address;
  readonly contact: Contact;
  readonly paymentToken: string;
  readonly placedAt: Date;
}

/** An order: its facts, its status, and its version, which grows by one with every change of status. */
export interface Order extends OrderFacts {
  readonly status: OrderStatus;
  readonly version: number;
}

/** Which parcel carries the order. */
export interface Tracking {
  readonly carrier: string;
  readonly trackingNumber: string;
}

const successors: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  placed: ['confirmed', 'cancelling', 'cancelled'],
  confirmed: ['dispatched', 'cancelling'],
  cancelling: ['dispatched', 'cancelled'],
  dispatched: ['completed'],
  completed: [],
  cancelled: [],
};

/** A new order, version 1. */
export function place(facts: OrderFacts): Order {
  return { ...facts, status: 'placed', version: 1 };
}

/**
 * The order in its next status, one version later.
 * @throws {RangeError} no order goes from the one to the other: a bug of the caller.
 */
export function become(order: Order, status: OrderStatus): Order {
  if (!successors[order.status].includes(status))
    throw new RangeError(`a ${order.status} order cannot become ${status}`);
  return { ...order, status, version: order.version + 1 };
}

/** True when nothing will happen to the order any more. */
export function hasEnded(status: OrderStatus): boolean {
  return successors[status].length === 0;
}

/** How many of what, without prices: what warehouse and carrier need to know. */
export function quantitiesOf(order: OrderFacts): Quantities {
  return order.lines.map(({ sku, quantity }) => ({ sku, quantity }));
}

export function orderPlaced({ orderId, customerId, lines, total, shippingAddress, version }: Order): Said {
  return OrderPlaced({ orderId, customerId, lines, total, shippingAddress }, { aggregateVersion: version });
}

export function orderConfirmed({ orderId, contact, lines, total, placedAt, version }: Order): Said {
  return OrderConfirmed(
    { orderId, contact, lines, total, placedAt: placedAt.toISOString() },
    { aggregateVersion: version },
  );
}

export function orderDispatched(
  { orderId, contact, placedAt, version }: Order,
  { carrier, trackingNumber }: Tracking,
  cancellationCameTooLate: boolean,
): Said {
  return OrderDispatched(
    { orderId, contact, carrier, trackingNumber, cancellationCameTooLate, placedAt: placedAt.toISOString() },
    { aggregateVersion: version },
  );
}

export function orderCompleted({ orderId, lines, total, placedAt, version }: Order): Said {
  return OrderCompleted({ orderId, lines, total, placedAt: placedAt.toISOString() }, { aggregateVersion: version });
}

export function orderCancelled(
  { orderId, contact, total, placedAt, version }: Order,
  reason: CancellationReason,
): Said {
  return OrderCancelled(
    { orderId, contact, reason, total, placedAt: placedAt.toISOString() },
    { aggregateVersion: version },
  );
}

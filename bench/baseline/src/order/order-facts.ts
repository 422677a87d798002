import type { Order } from '../generated/prisma/client.ts';
import type { Address, Line, OrderFacts } from '../messages.ts';

/** What the others are told of an order. */
export function factsOf(order: Order): OrderFacts {
  const { name, email } = addressOf(order);
  return {
    orderId: order.orderId,
    at: new Date().toISOString(),
    lines: linesOf(order),
    totalMinor: order.totalMinor,
    currency: order.currency,
    contact: { name, email },
  };
}

export function linesOf(order: Order): readonly Line[] {
  return order.lines as unknown as readonly Line[];
}

export function addressOf(order: Order): Address {
  return order.shippingAddress as unknown as Address;
}

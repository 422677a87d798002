import type { Address, Contact, CustomerId, Money, OrderId, PricedLines } from '@millrace/contracts';
import type { Checkout, OrderNotification, Order as OrderRow, PrismaClient } from '../../generated/prisma/client.ts';
import { type HistoryEntry, parseHistory } from '../../checkout/domain/history.ts';
import type { OrderStatus } from '../../checkout/domain/order.ts';
import type { NotificationHeard } from '../domain/timeline.ts';

/** An order as people ask for it: what was ordered, and how far it is. */
export interface OrderView {
  readonly orderId: OrderId;
  readonly customerId: CustomerId;
  readonly lines: PricedLines;
  readonly total: Money;
  readonly shippingAddress: Address;
  readonly contact: Contact;
  readonly placedAt: Date;
  readonly status: OrderStatus;
  readonly version: number;
  readonly reason: string | null;
  readonly carrier: string | null;
  readonly trackingNumber: string | null;
  readonly confirmedAt: Date | null;
  readonly endedAt: Date | null;
  readonly history: readonly HistoryEntry[];
}

/** What is remembered of the messages of an order. */
export interface OrderStory {
  readonly history: readonly HistoryEntry[];
  readonly notifications: readonly NotificationHeard[];
  readonly traceparent: string | null;
}

/** Answers questions about orders. It reads only, through Prisma: nobody waits for these in a batch. */
export class OrderReader {
  readonly #prisma: PrismaClient;

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma;
  }

  async find(orderId: OrderId): Promise<OrderView | undefined> {
    const [order, checkout] = await Promise.all([
      this.#prisma.order.findUnique({ where: { orderId } }),
      this.#prisma.checkout.findUnique({ where: { orderId } }),
    ]);
    return order === null || checkout === null ? undefined : viewOf(order, checkout);
  }

  /** A customer's orders, newest first: at most `limit`, after the one with the id `after`. */
  async ofCustomer(customerId: CustomerId, limit: number, after: string | undefined): Promise<OrderView[]> {
    const orders = await this.#prisma.order.findMany({
      where: { customerId, ...(after === undefined ? {} : { orderId: { lt: after } }) },
      orderBy: { orderId: 'desc' },
      take: limit,
    });
    const checkouts = await this.#prisma.checkout.findMany({
      where: { orderId: { in: orders.map(({ orderId }) => orderId) } },
    });
    const checkoutOf = new Map(checkouts.map((checkout) => [checkout.orderId, checkout]));
    return orders.flatMap((order) => {
      const checkout = checkoutOf.get(order.orderId);
      return checkout === undefined ? [] : [viewOf(order, checkout)];
    });
  }

  async storyOf(orderId: OrderId): Promise<OrderStory | undefined> {
    const [checkout, notifications] = await Promise.all([
      this.#prisma.checkout.findUnique({ where: { orderId }, select: { history: true, traceparent: true } }),
      this.#prisma.orderNotification.findMany({ where: { orderId }, orderBy: { at: 'asc' } }),
    ]);
    if (checkout === null) return undefined;
    return {
      history: parseHistory(checkout.history),
      notifications: notifications.map(({ type, kind, at }: OrderNotification) => ({ type, kind, at })),
      traceparent: checkout.traceparent,
    };
  }
}

/** The JSON columns hold what the decisions of this service wrote, which had passed its schemas. */
function viewOf(order: OrderRow, checkout: Checkout): OrderView {
  return {
    orderId: order.orderId as OrderId,
    customerId: order.customerId as CustomerId,
    lines: order.lines as unknown as PricedLines,
    total: { amountMinor: Number(order.totalMinor), currency: order.currency },
    shippingAddress: order.shippingAddress as unknown as Address,
    contact: order.contact as unknown as Contact,
    placedAt: order.placedAt,
    status: checkout.status as OrderStatus,
    version: checkout.version,
    reason: checkout.reason,
    carrier: checkout.carrier,
    trackingNumber: checkout.trackingNumber,
    confirmedAt: checkout.confirmedAt,
    endedAt: checkout.endedAt,
    history: parseHistory(checkout.history),
  };
}

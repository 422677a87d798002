import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { type Order, PrismaClient } from '../generated/prisma/client.ts';
import type { OrderMessage } from '../messages.ts';
import { Publisher } from '../process/publisher.ts';
import { addressOf, factsOf, linesOf } from './order-facts.ts';

interface Step {
  readonly status: string;
  readonly confirmedAt?: Date;
  readonly endedAt?: Date;
}

/** The checkout: what the order service says when it hears what the others did. */
@Controller()
export class CheckoutController {
  readonly #prisma: PrismaClient;
  readonly #publisher: Publisher;

  constructor(prisma: PrismaClient, publisher: Publisher) {
    this.#prisma = prisma;
    this.#publisher = publisher;
  }

  @EventPattern('stock-reserved')
  async stockReserved(@Payload() { orderId }: OrderMessage): Promise<void> {
    const order = await this.#step(orderId, 'placed', { status: 'awaiting-payment' });
    if (order === undefined) return;
    const { totalMinor, currency, paymentToken } = order;
    await this.#publisher.emit('authorize-payment', {
      ...now(orderId),
      amountMinor: totalMinor,
      currency,
      paymentToken,
    });
  }

  @EventPattern('stock-rejected')
  async stockRejected(@Payload() { orderId }: OrderMessage): Promise<void> {
    const order = await this.#step(orderId, 'placed', { status: 'cancelled', endedAt: new Date() });
    if (order !== undefined) await this.#publisher.emit('order-cancelled', factsOf(order));
  }

  @EventPattern('payment-authorized')
  async paymentAuthorized(@Payload() { orderId }: OrderMessage): Promise<void> {
    const order = await this.#step(orderId, 'awaiting-payment', { status: 'confirmed', confirmedAt: new Date() });
    if (order === undefined) return;
    await Promise.all([
      this.#publisher.emit('order-confirmed', factsOf(order)),
      this.#publisher.emit('arrange-shipment', {
        ...now(orderId),
        lines: linesOf(order),
        address: addressOf(order),
      }),
    ]);
  }

  @EventPattern('payment-declined')
  async paymentDeclined(@Payload() { orderId }: OrderMessage): Promise<void> {
    const order = await this.#step(orderId, 'awaiting-payment', { status: 'cancelled', endedAt: new Date() });
    if (order === undefined) return;
    await Promise.all([
      this.#publisher.emit('release-stock', { ...now(orderId), lines: linesOf(order) }),
      this.#publisher.emit('order-cancelled', factsOf(order)),
    ]);
  }

  @EventPattern('shipment-dispatched')
  async shipmentDispatched(@Payload() { orderId }: OrderMessage): Promise<void> {
    const order = await this.#step(orderId, 'confirmed', { status: 'dispatched' });
    if (order === undefined) return;
    await Promise.all([
      this.#publisher.emit('order-dispatched', factsOf(order)),
      this.#publisher.emit('capture-payment', { ...now(orderId), amountMinor: order.totalMinor }),
      this.#publisher.emit('commit-stock', { ...now(orderId), lines: linesOf(order) }),
    ]);
  }

  @EventPattern('payment-captured')
  async paymentCaptured(@Payload() { orderId }: OrderMessage): Promise<void> {
    const order = await this.#step(orderId, 'dispatched', { status: 'completed', endedAt: new Date() });
    if (order !== undefined) await this.#publisher.emit('order-completed', factsOf(order));
  }

  /** Answers undefined where the order is elsewhere already: a message that came again, or too late. */
  async #step(orderId: string, from: string, { status, confirmedAt, endedAt }: Step): Promise<Order | undefined> {
    return this.#prisma.$transaction(async (tx) => {
      const order = await tx.order.findUnique({ where: { orderId } });
      if (order?.status !== from) return undefined;
      return tx.order.update({
        where: { orderId },
        data: {
          status,
          version: { increment: 1 },
          ...(confirmedAt === undefined ? {} : { confirmedAt }),
          ...(endedAt === undefined ? {} : { endedAt }),
        },
      });
    });
  }
}

function now(orderId: string): OrderMessage {
  return { orderId, at: new Date().toISOString() };
}

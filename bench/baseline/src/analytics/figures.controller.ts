import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, KafkaContext, Payload } from '@nestjs/microservices';
import { PrismaClient } from '../generated/prisma/client.ts';
import type { OrderFacts, OrderMessage } from '../messages.ts';

type Count = 'placed' | 'confirmed' | 'completed' | 'cancelled';

const MINUTE_MS = 60_000;

/** Counts what happens in the shop. Every message adds, so one that comes again is counted again. */
@Controller()
export class FiguresController {
  readonly #prisma: PrismaClient;

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma;
  }

  @EventPattern('order-placed')
  placed(@Payload() facts: OrderFacts): Promise<void> {
    return this.#count('placed', facts);
  }

  @EventPattern('order-confirmed')
  confirmed(@Payload() facts: OrderFacts): Promise<void> {
    return this.#count('confirmed', facts);
  }

  @EventPattern('order-completed')
  completed(@Payload() facts: OrderFacts): Promise<void> {
    return this.#count('completed', facts, facts.totalMinor);
  }

  @EventPattern('order-cancelled')
  cancelled(@Payload() facts: OrderFacts): Promise<void> {
    return this.#count('cancelled', facts);
  }

  @EventPattern([
    'order-dispatched',
    'stock-reserved',
    'stock-rejected',
    'stock-committed',
    'stock-released',
    'payment-authorized',
    'payment-declined',
    'payment-captured',
    'shipment-arranged',
    'shipment-dispatched',
    'shipment-delivered',
    'notification-sent',
  ])
  other(@Payload() _: OrderMessage, @Ctx() context: KafkaContext): Promise<void> {
    return this.#heard(context.getTopic());
  }

  async #count(count: Count, { at, currency }: OrderFacts, revenueMinor = 0): Promise<void> {
    const minute = new Date(Math.floor(Date.parse(at) / MINUTE_MS) * MINUTE_MS);
    await this.#prisma.orderMinute.upsert({
      where: { minute_currency: { minute, currency } },
      create: { minute, currency, [count]: 1, revenueMinor },
      update: { [count]: { increment: 1 }, revenueMinor: { increment: revenueMinor } },
    });
    await this.#heard(`order-${count}`);
  }

  async #heard(type: string): Promise<void> {
    await this.#prisma.tally.upsert({
      where: { type },
      create: { type, times: 1 },
      update: { times: { increment: 1 } },
    });
  }
}

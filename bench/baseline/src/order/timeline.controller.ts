import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { PrismaClient } from '../generated/prisma/client.ts';
import type { NotificationSent } from '../messages.ts';

/** What customers were told, for the timeline of an order. */
@Controller()
export class TimelineController {
  readonly #prisma: PrismaClient;

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma;
  }

  @EventPattern('notification-sent')
  async notificationSent(@Payload() { orderId, kind, at }: NotificationSent): Promise<void> {
    const row = { orderId, kind, at: new Date(at) };
    await this.#prisma.orderNotification.upsert({
      where: { orderId_kind: { orderId, kind } },
      create: row,
      update: {},
    });
  }
}

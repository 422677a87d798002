import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { PrismaClient } from '../generated/prisma/client.ts';
import type { ArrangeShipment } from '../messages.ts';
import { Publisher } from '../process/publisher.ts';

/** The dispatcher, with a carrier that collects and delivers at once. */
@Controller()
export class ShipmentController {
  readonly #prisma: PrismaClient;
  readonly #publisher: Publisher;

  constructor(prisma: PrismaClient, publisher: Publisher) {
    this.#prisma = prisma;
    this.#publisher = publisher;
  }

  @EventPattern('arrange-shipment')
  async arrange(@Payload() { orderId, lines, address }: ArrangeShipment): Promise<void> {
    await this.#prisma.$transaction(async (tx) => {
      if ((await tx.shipment.findUnique({ where: { orderId } })) !== null) return;
      await tx.shipment.create({
        data: {
          orderId,
          status: 'arranged',
          trackingNumber: `TRACK-${orderId}`,
          lines: lines.map((line) => ({ ...line })),
          address: { ...address },
        },
      });
    });
    await this.#publisher.emit('shipment-arranged', { orderId, at: new Date().toISOString() });
    await this.#report(orderId, 'dispatched');
    await this.#report(orderId, 'delivered');
  }

  async #report(orderId: string, status: 'dispatched' | 'delivered'): Promise<void> {
    await this.#prisma.$transaction(async (tx) => {
      const shipment = await tx.shipment.findUnique({ where: { orderId } });
      if (shipment === null || shipment.status === 'delivered') return;
      await tx.shipment.update({ where: { orderId }, data: { status } });
    });
    await this.#publisher.emit(`shipment-${status}`, { orderId, at: new Date().toISOString() });
  }
}

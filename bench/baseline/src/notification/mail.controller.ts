import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { createTransport } from 'nodemailer';
import { PrismaClient } from '../generated/prisma/client.ts';
import type { OrderFacts } from '../messages.ts';
import { Publisher } from '../process/publisher.ts';
import { settings } from '../process/settings.ts';

const SUBJECTS = {
  'order-confirmed': 'We have your order',
  'order-dispatched': 'Your parcel is on its way',
  'order-cancelled': 'Your order was cancelled',
} as const;

const CONNECTIONS = 100;

/** Writes to customers about their orders. */
@Controller()
export class MailController {
  readonly #prisma: PrismaClient;
  readonly #publisher: Publisher;
  readonly #mailServer = createTransport(
    { url: settings().smtpUrl ?? '', pool: true, maxConnections: CONNECTIONS, maxMessages: Number.MAX_SAFE_INTEGER },
    { from: 'Baseline <orders@baseline.example>' },
  );

  constructor(prisma: PrismaClient, publisher: Publisher) {
    this.#prisma = prisma;
    this.#publisher = publisher;
  }

  @EventPattern('order-confirmed')
  confirmed(@Payload() facts: OrderFacts): Promise<void> {
    return this.#tell('order-confirmed', facts);
  }

  @EventPattern('order-dispatched')
  dispatched(@Payload() facts: OrderFacts): Promise<void> {
    return this.#tell('order-dispatched', facts);
  }

  @EventPattern('order-cancelled')
  cancelled(@Payload() facts: OrderFacts): Promise<void> {
    return this.#tell('order-cancelled', facts);
  }

  async #tell(
    kind: keyof typeof SUBJECTS,
    { orderId, lines, totalMinor, currency, contact }: OrderFacts,
  ): Promise<void> {
    const known = await this.#prisma.notification.findUnique({ where: { orderId_kind: { orderId, kind } } });
    if (known !== null) return;
    await this.#mailServer.sendMail({
      to: contact.email,
      subject: SUBJECTS[kind],
      text: [
        `Dear ${contact.name},`,
        `${SUBJECTS[kind].toLowerCase()}: ${orderId}.`,
        ...lines.map(({ sku, quantity }) => `${quantity} × ${sku}`),
        `Total: ${(totalMinor / 100).toFixed(2)} ${currency}`,
      ].join('\n\n'),
      messageId: `<${orderId}.${kind}@baseline.example>`,
    });
    const recordedAt = new Date();
    await this.#prisma.notification.create({ data: { orderId, kind, recipient: contact.email, recordedAt } });
    await this.#publisher.emit('notification-sent', { orderId, kind, at: recordedAt.toISOString() });
  }
}

import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { PrismaClient } from '../generated/prisma/client.ts';
import type { AuthorizePayment, CapturePayment } from '../messages.ts';
import { Publisher } from '../process/publisher.ts';
import { PaymentProvider } from './payment-provider.ts';

/** The cashier. */
@Controller()
export class PaymentController {
  readonly #prisma: PrismaClient;
  readonly #publisher: Publisher;
  readonly #provider: PaymentProvider;

  constructor(prisma: PrismaClient, publisher: Publisher, provider: PaymentProvider) {
    this.#prisma = prisma;
    this.#publisher = publisher;
    this.#provider = provider;
  }

  @EventPattern('authorize-payment')
  async authorize(@Payload() { orderId, amountMinor, currency, paymentToken }: AuthorizePayment): Promise<void> {
    const outcome = await this.#provider.authorize(orderId, amountMinor, paymentToken);
    const isAuthorized = outcome === 'authorized';
    const status = await this.#prisma.$transaction(async (tx) => {
      const known = await tx.payment.findUnique({ where: { orderId } });
      if (known !== null) return known.status;
      const payment = await tx.payment.create({
        data: {
          orderId,
          status: outcome,
          reference: isAuthorized ? `ch_${orderId}` : null,
          authorizedMinor: isAuthorized ? amountMinor : 0,
          capturedMinor: 0,
          currency,
        },
      });
      return payment.status;
    });
    const at = new Date().toISOString();
    await this.#publisher.emit(status === 'declined' ? 'payment-declined' : 'payment-authorized', { orderId, at });
  }

  @EventPattern('capture-payment')
  async capture(@Payload() { orderId, amountMinor }: CapturePayment): Promise<void> {
    await this.#provider.capture(orderId, amountMinor);
    const isKnown = await this.#prisma.$transaction(async (tx) => {
      const payment = await tx.payment.findUnique({ where: { orderId } });
      if (payment === null || payment.status === 'declined') return false;
      await tx.payment.update({ where: { orderId }, data: { status: 'captured', capturedMinor: amountMinor } });
      return true;
    });
    if (isKnown) await this.#publisher.emit('payment-captured', { orderId, at: new Date().toISOString() });
  }
}

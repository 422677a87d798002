import { Injectable } from '@nestjs/common';
import { prismaOf } from '../process/service.ts';
import { settings } from '../process/settings.ts';

/** Stands in for a payment provider: somebody else's system with books of its own, as in the shop that this is compared with. */
@Injectable()
export class PaymentProvider {
  readonly #books = prismaOf(settings().paymentProviderUrl ?? '');

  /** Once per order, however often it is asked for. */
  async authorize(orderId: string, amountMinor: number, token: string): Promise<'authorized' | 'declined'> {
    if (token !== 'tok_approved') return 'declined';
    await this.#note('authorize', orderId, amountMinor);
    return 'authorized';
  }

  /** Once per order, however often it is asked for. */
  async capture(orderId: string, amountMinor: number): Promise<void> {
    await this.#note('capture', orderId, amountMinor);
  }

  async #note(kind: string, orderId: string, amountMinor: number): Promise<void> {
    const idempotencyKey = `${kind} ${orderId}`;
    const charge = { idempotencyKey, orderId, kind, amountMinor };
    await this.#books.charge.upsert({ where: { idempotencyKey }, create: charge, update: {} });
  }
}

import { AuthorizePayment, CapturePayment, RefundPayment, VoidPayment } from '@millrace/contracts';
import { type Call, type Handler, Handles, performs } from '@millrace/messaging';
import { Controller } from '@nestjs/common';
import {
  decidePayment,
  type NeededCall,
  neededCall,
  type Outcome,
  type PaymentCommand,
} from '../domain/decide-payment.ts';
import { PaymentProvider } from '../provider/payment-provider.ts';
import { paymentStore } from '../store/payment.store.ts';

// What the provider did with a call that failed is unknown. If its void or refund went past it, money could be left in the air:
// after some minutes a person looks.
const RETRY = { attempts: 10, firstDelayMs: 500, maxDelayMs: 60_000, then: 'hold' } as const;

/** Moves money as the checkout asks for it. */
@Controller()
export class PaymentHandler {
  readonly #provider: PaymentProvider;

  constructor(provider: PaymentProvider) {
    this.#provider = provider;
  }

  @Handles('payment.payments')
  payments(): Handler {
    return performs({
      hears: [AuthorizePayment, CapturePayment, VoidPayment, RefundPayment],
      store: paymentStore,
      perform: (payment, command, call) => this.#ask(neededCall(payment, command), command, call),
      callName: nameOfCall,
      decide: decidePayment,
      concurrency: this.#provider.concurrency,
      retry: RETRY,
    });
  }

  async #ask(needed: NeededCall, command: PaymentCommand, { idempotencyKey, signal }: Call): Promise<Outcome> {
    const { orderId } = command.body;
    if (needed.kind === 'none') return { kind: 'nothing-to-do' };
    if (needed.kind === 'authorize') {
      return this.#provider.authorize({ orderId, amount: needed.amount, token: needed.token, idempotencyKey, signal });
    }
    const { reference, amount } = needed.charge;
    const call = { orderId, reference, amount, idempotencyKey, signal };
    switch (needed.kind) {
      case 'capture':
        await this.#provider.capture(call);
        return { kind: 'captured' };
      case 'void':
        await this.#provider.void(call);
        return { kind: 'voided' };
      case 'refund':
        await this.#provider.refund(call);
        return { kind: 'refunded' };
    }
  }
}

function nameOfCall(...of: Parameters<typeof neededCall>): string | undefined {
  const { kind } = neededCall(...of);
  return kind === 'none' ? undefined : `payment-provider ${kind}`;
}

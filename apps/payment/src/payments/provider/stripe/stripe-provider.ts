import Stripe from 'stripe';
import { type AuthorizeCall, type Authorization, type ChargeCall, PaymentProvider } from '../payment-provider.ts';
import { declineReasonOf, failureOf, unexpectedStatusIn } from './stripe-errors.ts';

export interface StripeOptions {
  readonly apiKey: string;
  /** Where Stripe's API is; another address for stripe-mock and tests. */
  readonly apiBase: URL;
  /** One call may take this long. Shorter than the runtime's patience, so that the call's own error is the one that counts. */
  readonly timeoutMs: number;
}

/**
 * Stripe, through its official client: one PaymentIntent per order, confirmed at once and captured by hand. The client never tries
 * again by itself, because the runtime does, and it knows when to stop.
 */
export class StripeProvider extends PaymentProvider {
  // Stripe limits live accounts to about 100 requests per second; a call takes half a second or so.
  override readonly concurrency = 50;
  readonly #stripe: Stripe;

  constructor({ apiKey, apiBase, timeoutMs }: StripeOptions) {
    super();
    const protocol = apiBase.protocol === 'http:' ? 'http' : 'https';
    const port = apiBase.port === '' ? { http: 80, https: 443 }[protocol] : Number(apiBase.port);
    this.#stripe = new Stripe(apiKey, {
      host: apiBase.hostname,
      port,
      protocol,
      timeout: timeoutMs,
      maxNetworkRetries: 0,
      telemetry: false,
    });
  }

  async authorize({ orderId, amount, token, idempotencyKey, signal }: AuthorizeCall): Promise<Authorization> {
    signal.throwIfAborted();
    try {
      const intent = await this.#stripe.paymentIntents.create(
        {
          amount: amount.amountMinor,
          currency: amount.currency.toLowerCase(),
          capture_method: 'manual',
          confirm: true,
          payment_method: token,
          allowed_payment_method_types: ['card'],
          // Nobody is there to pass a 3-D Secure check any more, so a card that asks for one is declined.
          error_on_requires_action: true,
          metadata: { orderId },
        },
        { idempotencyKey },
      );
      if (intent.status === 'requires_capture') return { kind: 'authorized', reference: intent.id };
      throw new Error(`Stripe answered a payment intent that is ${intent.status}`);
    } catch (error) {
      const reason = declineReasonOf(error);
      if (reason !== undefined) return { kind: 'declined', reason };
      throw failureOf(error);
    }
  }

  async capture({ reference, amount, idempotencyKey, signal }: ChargeCall): Promise<void> {
    signal.throwIfAborted();
    try {
      await this.#stripe.paymentIntents.capture(
        reference,
        { amount_to_capture: amount.amountMinor },
        { idempotencyKey },
      );
    } catch (error) {
      // Stripe forgets idempotency keys after a day or so; what was done before then is done.
      if (unexpectedStatusIn(error) !== 'succeeded') throw failureOf(error);
    }
  }

  async void({ reference, idempotencyKey, signal }: ChargeCall): Promise<void> {
    signal.throwIfAborted();
    try {
      await this.#stripe.paymentIntents.cancel(reference, {}, { idempotencyKey });
    } catch (error) {
      if (unexpectedStatusIn(error) !== 'canceled') throw failureOf(error);
    }
  }

  async refund({ reference, amount, idempotencyKey, signal }: ChargeCall): Promise<void> {
    signal.throwIfAborted();
    try {
      const refund = await this.#stripe.refunds.create(
        { payment_intent: reference, amount: amount.amountMinor },
        { idempotencyKey },
      );
      if (refund.status === 'failed' || refund.status === 'canceled')
        throw new Error(`Stripe answered a refund that is ${refund.status}`);
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeError) || error.code !== 'charge_already_refunded')
        throw failureOf(error);
    }
  }
}

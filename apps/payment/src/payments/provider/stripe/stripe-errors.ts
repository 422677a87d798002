import { PermanentFailure, Unavailable } from '@millrace/messaging';
import Stripe from 'stripe';
import type { CardRefusal } from '../../domain/payment.ts';

/** Why the card was refused; undefined when the error is none about the card. */
export function declineReasonOf(error: unknown): CardRefusal | undefined {
  if (!(error instanceof Stripe.errors.StripeCardError)) return undefined;
  const isShortOfMoney = error.decline_code === 'insufficient_funds' || error.code === 'insufficient_funds';
  return isShortOfMoney ? 'insufficient-funds' : 'card-declined';
}

/** The status of the payment intent when Stripe says that it does not allow the call; undefined for other errors. */
export function unexpectedStatusIn(error: unknown): Stripe.PaymentIntent.Status | undefined {
  if (!(error instanceof Stripe.errors.StripeError) || error.code !== 'payment_intent_unexpected_state')
    return undefined;
  return error.payment_intent?.status;
}

/** What an error of Stripe's client means for the message: wait until Stripe is back, never try again, or just try again. */
export function failureOf(error: unknown): unknown {
  if (!(error instanceof Stripe.errors.StripeError)) return error;
  const text = `${error.message}${error.requestId === undefined ? '' : ` (request ${error.requestId})`}`;
  if (error instanceof Stripe.errors.StripeConnectionError) {
    return new Unavailable(`Stripe cannot be reached: ${text}`, { cause: error });
  }
  if (error instanceof Stripe.errors.StripeRateLimitError) {
    return new Unavailable(`Stripe asks to slow down: ${text}`, { cause: error });
  }
  if (
    error instanceof Stripe.errors.StripeAuthenticationError ||
    error instanceof Stripe.errors.StripePermissionError
  ) {
    // The key is wrong, not the payment: it waits until somebody sets the right one.
    return new Unavailable(`Stripe does not accept STRIPE_API_KEY: ${text}`, { cause: error });
  }
  if (error.statusCode !== undefined && error.statusCode >= 500) {
    return new Unavailable(`Stripe is in trouble (HTTP ${error.statusCode}): ${text}`, { cause: error });
  }
  if (
    error instanceof Stripe.errors.StripeInvalidRequestError ||
    error instanceof Stripe.errors.StripeIdempotencyError
  ) {
    return new PermanentFailure('refused-by-provider', `Stripe refuses the call: ${text}`, { cause: error });
  }
  return error;
}

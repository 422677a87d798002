import type { Money, OrderId } from '@millrace/contracts';
import type { CardRefusal } from '../domain/payment.ts';

/** What every call carries. */
export interface ProviderCall {
  /** For the provider's records. */
  readonly orderId: OrderId;
  readonly amount: Money;
  /** The same for every repetition of one call: the provider acts once and repeats its first answer. */
  readonly idempotencyKey: string;
  /** Aborted when nobody waits for the answer any more; the provider may have acted all the same. */
  readonly signal: AbortSignal;
}

export interface AuthorizeCall extends ProviderCall {
  /** Stands for the customer's card; the provider gave it to the shop's page. */
  readonly token: string;
}

/** A call about money that was held before. */
export interface ChargeCall extends ProviderCall {
  /** What `authorize` answered. */
  readonly reference: string;
}

export type Authorization =
  | { readonly kind: 'authorized'; readonly reference: string }
  | { readonly kind: 'declined'; readonly reason: CardRefusal };

/**
 * Whoever moves the customers' money. A refused card is an answer; each method rejects with `Unavailable` when the provider is
 * away, with `PermanentFailure` when it will never do what is asked, and with any other error when trying again may help.
 */
export abstract class PaymentProvider {
  /** How many calls it likes to have under way at once. */
  abstract readonly concurrency: number;
  /** Holds the amount on the card. */
  abstract authorize(call: AuthorizeCall): Promise<Authorization>;
  /** Takes the whole amount that is held. */
  abstract capture(call: ChargeCall): Promise<void>;
  /** Gives the hold up; nothing was taken. */
  abstract void(call: ChargeCall): Promise<void>;
  /** Gives the amount back that was taken. */
  abstract refund(call: ChargeCall): Promise<void>;
}

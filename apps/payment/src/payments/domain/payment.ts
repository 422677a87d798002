import type { BodyOf, Money, PaymentDeclined, PaymentId } from '@millrace/contracts';

/** Why a provider refuses a card. */
export type CardRefusal = Exclude<BodyOf<typeof PaymentDeclined>['reason'], 'payment-voided'>;

/** Money that the provider held for an order; `reference` is the provider's own name for it. */
export interface Charge {
  readonly paymentId: PaymentId;
  readonly reference: string;
  readonly amount: Money;
}

/** What became of the money of one order. The whole amount is held, taken and given back, never a part of it. */
export type Payment =
  | { readonly status: 'authorized' | 'captured' | 'refunded'; readonly charge: Charge }
  /** `charge` is absent when the payment was voided before it was ever asked for. */
  | { readonly status: 'voided'; readonly charge?: Charge }
  | { readonly status: 'declined'; readonly reason: CardRefusal };

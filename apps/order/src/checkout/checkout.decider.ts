import type { Decider, Decision, DecisionContext } from '@millrace/messaging';
import type { Checkout, CheckoutMessage, Deadlines, OrderAccepted } from './domain/checkout.ts';
import { checkoutDecision } from './domain/decide-checkout.ts';
import type { CheckoutStore } from './store/checkout.store.ts';

/**
 * Decides about orders in a transaction of the caller: `local.decide(checkoutDecider, [orderAccepted])`. See
 * `checkoutDecision` for what it throws. A refused cancellation names its reason in `Decision.refused`.
 */
export class CheckoutDecider implements Decider<Checkout | undefined, OrderAccepted | CheckoutMessage> {
  readonly decide: (
    checkout: Checkout | undefined,
    message: OrderAccepted | CheckoutMessage,
    context: DecisionContext,
  ) => Decision<Checkout>;
  readonly store: CheckoutStore;

  constructor(store: CheckoutStore, deadlines: Deadlines) {
    this.store = store;
    this.decide = checkoutDecision(deadlines);
  }
}

import { type Decision, type DecisionContext, PermanentFailure } from '@millrace/messaging/decisions';
import { begin, type Checkout, type CheckoutMessage, type Deadlines, type OrderAccepted } from './checkout.ts';
import { checkoutProcess } from './checkout.process.ts';
import { entryOf } from './history.ts';

/**
 * Begins the checkout of an accepted order and carries on one that is under way, and remembers each decision in the order's
 * history, also one that changed nothing: it is part of the order's life. A refused wish leaves no trace.
 *
 * Throws `PermanentFailure`: 'unknown-order' when there is no such checkout, 'impossible-transition' when the message cannot
 * arrive at this stage.
 */
export function checkoutDecision(deadlines: Deadlines) {
  const process = checkoutProcess(deadlines);

  function carryOn(
    checkout: Checkout | undefined,
    message: CheckoutMessage,
    context: DecisionContext,
  ): Decision<Checkout> {
    if (checkout === undefined) {
      throw new PermanentFailure(
        'unknown-order',
        `${message.type} is about order ${message.key}, which nobody placed here`,
      );
    }
    return process.decide(checkout, message, context);
  }

  function start(
    checkout: Checkout | undefined,
    accepted: OrderAccepted,
    context: DecisionContext,
  ): Decision<Checkout> {
    if (checkout !== undefined) {
      throw new PermanentFailure('impossible-transition', `order ${accepted.key} was accepted before`);
    }
    return begin(accepted, deadlines, context);
  }

  return (
    checkout: Checkout | undefined,
    message: OrderAccepted | CheckoutMessage,
    context: DecisionContext,
  ): Decision<Checkout> => {
    const decision =
      message.type === 'OrderAccepted' ? start(checkout, message, context) : carryOn(checkout, message, context);
    if (decision.refused !== undefined) return decision;
    const { state, messages } = decision;
    const entry = entryOf(message, messages, context.now);
    return { state: { ...state, newHistory: [...state.newHistory, entry] }, messages };
  };
}

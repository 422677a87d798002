import { newId } from '@millrace/contracts';
import type { Transaction } from '@millrace/database';
import { deadlines } from '../src/checkout/domain/checkout.examples.ts';
import type { CheckoutMessage, OrderAccepted } from '../src/checkout/domain/checkout.ts';
import { checkoutDecision } from '../src/checkout/domain/decide-checkout.ts';
import { CheckoutStore } from '../src/checkout/store/checkout.store.ts';

const decide = checkoutDecision(deadlines);
const store = new CheckoutStore();

/** Decides about messages as the runtime does: one load, each in order, one save. */
export async function decideStored(
  tx: Transaction,
  messages: readonly (OrderAccepted | CheckoutMessage)[],
  now: Date,
): Promise<void> {
  const states = await store.load(tx, messages, { lock: true });
  for (const message of messages) states.change(message, decide(states.of(message), message, { now, newId }).state);
  await states.save(tx);
}

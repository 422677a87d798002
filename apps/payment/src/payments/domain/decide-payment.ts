import {
  type AuthorizePayment,
  type CapturePayment,
  type MessageOf,
  type Money,
  type OrderId,
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  type PaymentId,
  PaymentRefunded,
  PaymentVoided,
  type RefundPayment,
  type Said,
  type VoidPayment,
} from '@millrace/contracts';
import { type Decision, type DecisionContext, PermanentFailure } from '@millrace/messaging/decisions';
import type { CardRefusal, Charge, Payment } from './payment.ts';

export type PaymentCommand = MessageOf<
  typeof AuthorizePayment | typeof CapturePayment | typeof VoidPayment | typeof RefundPayment
>;

/** What must be asked of the provider before a command can be decided. */
export type NeededCall =
  | { readonly kind: 'authorize'; readonly amount: Money; readonly token: string }
  | { readonly kind: 'capture' | 'void' | 'refund'; readonly charge: Charge }
  | { readonly kind: 'none' };

/** What the provider answered. */
export type Outcome =
  | { readonly kind: 'authorized'; readonly reference: string }
  | { readonly kind: 'declined'; readonly reason: CardRefusal }
  | { readonly kind: 'captured' | 'voided' | 'refunded' }
  | { readonly kind: 'nothing-to-do' };

/**
 * The call that a command needs. The provider is asked to hold the money of an order only while nothing at all is known of
 * the order's payment, so a command repeated under a new id never reaches it.
 */
export function neededCall(payment: Payment | undefined, command: PaymentCommand): NeededCall {
  switch (command.type) {
    case 'AuthorizePayment':
      if (payment !== undefined) return { kind: 'none' };
      return { kind: 'authorize', amount: command.body.amount, token: command.body.paymentToken };
    case 'CapturePayment':
      return payment?.status === 'authorized' ? { kind: 'capture', charge: payment.charge } : { kind: 'none' };
    case 'VoidPayment':
      if (payment?.status === 'authorized') return { kind: 'void', charge: payment.charge };
      return payment?.status === 'captured' ? { kind: 'refund', charge: payment.charge } : { kind: 'none' };
    case 'RefundPayment':
      return payment?.status === 'captured' ? { kind: 'refund', charge: payment.charge } : { kind: 'none' };
  }
}

/**
 * Records what the provider answered, or answers from what is known already.
 * Throws `PermanentFailure` ('impossible-transition') when money is to be taken or given back that was never held, and an
 * `Error` when the payment changed between the call and its record: trying again then calls, or answers, anew.
 */
export function decidePayment(
  payment: Payment | undefined,
  command: PaymentCommand,
  outcome: Outcome,
  context: DecisionContext,
): Decision<Payment | undefined> {
  const { orderId } = command.body;
  const needed = neededCall(payment, command);
  switch (needed.kind) {
    case 'authorize':
      if (outcome.kind === 'authorized') {
        const paymentId = context.newId<PaymentId>();
        return said(
          { status: 'authorized', charge: { paymentId, reference: outcome.reference, amount: needed.amount } },
          orderId,
        );
      }
      if (outcome.kind === 'declined') return said({ status: 'declined', reason: outcome.reason }, orderId);
      break;
    case 'capture':
      if (outcome.kind === 'captured') return said({ status: 'captured', charge: needed.charge }, orderId);
      break;
    case 'void':
      if (outcome.kind === 'voided') return said({ status: 'voided', charge: needed.charge }, orderId);
      break;
    case 'refund':
      if (outcome.kind === 'refunded') return said({ status: 'refunded', charge: needed.charge }, orderId);
      break;
    case 'none':
      if (outcome.kind === 'nothing-to-do') return fromTheRecord(payment, command);
      break;
  }
  throw new Error(
    `payment of ${orderId} changed: ${command.type} needs ${needed.kind}, the provider answered ${outcome.kind}`,
  );
}

function fromTheRecord(payment: Payment | undefined, command: PaymentCommand): Decision<Payment | undefined> {
  const { orderId } = command.body;
  switch (command.type) {
    case 'AuthorizePayment':
      if (payment?.status === 'voided') {
        return { state: payment, messages: [PaymentDeclined({ orderId, reason: 'payment-voided' })] };
      }
      break;
    case 'VoidPayment':
      // What was never seen is remembered as voided, so that a late AuthorizePayment is refused.
      if (payment === undefined) return said({ status: 'voided' }, orderId);
      if (payment.status === 'declined') return { state: payment, messages: [PaymentVoided({ orderId })] };
      break;
    case 'CapturePayment':
    case 'RefundPayment':
      if (payment?.status !== 'captured' && payment?.status !== 'refunded') {
        const found = payment?.status ?? 'unknown';
        throw new PermanentFailure(
          'impossible-transition',
          `${command.type} cannot be done: the payment of ${orderId} is ${found}`,
        );
      }
      break;
  }
  if (payment === undefined)
    throw new Error(`${command.type} of ${orderId} was decided without a call to the provider`);
  return said(payment, orderId);
}

/** The state together with the message that tells it. */
function said(payment: Payment, orderId: OrderId): Decision<Payment> {
  return { state: payment, messages: [truthOf(payment, orderId)] };
}

function truthOf(payment: Payment, orderId: OrderId): Said {
  switch (payment.status) {
    case 'authorized':
      return PaymentAuthorized({ orderId, paymentId: payment.charge.paymentId, amount: payment.charge.amount });
    case 'captured':
      return PaymentCaptured({ orderId, paymentId: payment.charge.paymentId, amount: payment.charge.amount });
    case 'refunded':
      return PaymentRefunded({ orderId, paymentId: payment.charge.paymentId, amount: payment.charge.amount });
    case 'voided':
      return PaymentVoided({ orderId });
    case 'declined':
      return PaymentDeclined({ orderId, reason: payment.reason });
  }
}

import type {
  CancellationReason,
  MessageOf,
  OrderId,
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  PaymentRefunded,
  PaymentVoided,
  ShipmentArranged,
  ShipmentCancelled,
  ShipmentDelivered,
  ShipmentDispatched,
  ShipmentRefused,
  StockCommitted,
  StockRejected,
  StockReleased,
  StockReserved,
} from '@millrace/contracts';
import { ReserveStock } from '@millrace/contracts';
import type { Decision, DecisionContext, LocalMessage } from '@millrace/messaging/decisions';
import type { HistoryEntry } from './history.ts';
import { type Order, type OrderFacts, orderPlaced, place, quantitiesOf, type Tracking } from './order.ts';

/** Where the checkout of an order is: what it waits for, or how it ended. */
export type Stage =
  | 'AwaitingStock'
  | 'AwaitingPayment'
  | 'AwaitingDispatch'
  | 'RecallingShipment'
  | 'AwaitingCapture'
  | 'Cancelling'
  | 'Completed'
  | 'Cancelled';

/** How long each wait may last before it is given up, or asked again where giving up is no choice. */
export interface Deadlines {
  readonly stockMs: number;
  readonly paymentMs: number;
  readonly dispatchMs: number;
  readonly recallMs: number;
  readonly captureMs: number;
  readonly undoMs: number;
}

/** An order and how far its checkout is. */
export interface Checkout {
  readonly order: Order;
  readonly stage: Stage;
  /** Why the order is, or is about to be, given up; null while it goes forward. */
  readonly reason: CancellationReason | null;
  /** The customer asked for a cancellation; they are told if the parcel was faster. */
  readonly cancellationAsked: boolean;
  /** The hold ran out by itself: there is no stock to give back. */
  readonly stockIsBack: boolean;
  /** Which undos were sent and are not acknowledged yet. */
  readonly undoPending: { readonly stock: boolean; readonly payment: boolean };
  readonly tracking: Tracking | null;
  readonly confirmedAt: Date | null;
  readonly endedAt: Date | null;
  /** When the stage has lasted too long; null in an end stage. */
  readonly deadline: Date | null;
  /** The conversation and trace of the order, in which its deadlines are told too. */
  readonly correlationId: string;
  readonly traceparent: string | null;
  /** What happened since the checkout was loaded; the store appends it to the history. */
  readonly newHistory: readonly HistoryEntry[];
}

/** An order was accepted by the API; `key` is its new id. */
export type OrderAccepted = LocalMessage<'OrderAccepted', Omit<OrderFacts, 'orderId' | 'placedAt'>>;

/** The customer wants the order cancelled. */
export type CancellationRequested = LocalMessage<'CancellationRequested', Record<string, never>>;

/** The stage has lasted longer than it may. */
export type DeadlineExpired = LocalMessage<'DeadlineExpired', Record<string, never>>;

/** What a checkout under way decides about. */
export type CheckoutMessage =
  | MessageOf<
      | typeof StockReserved
      | typeof StockRejected
      | typeof StockReleased
      | typeof StockCommitted
      | typeof PaymentAuthorized
      | typeof PaymentDeclined
      | typeof PaymentCaptured
      | typeof PaymentVoided
      | typeof PaymentRefunded
      | typeof ShipmentArranged
      | typeof ShipmentRefused
      | typeof ShipmentDispatched
      | typeof ShipmentDelivered
      | typeof ShipmentCancelled
    >
  | CancellationRequested
  | DeadlineExpired;

/** The stage in which every checkout begins. */
export const initial = { stage: 'AwaitingStock', label: 'OrderAccepted / OrderPlaced, ReserveStock' } as const;

/** The stages that nothing leaves. */
export const ends = ['Completed', 'Cancelled'] as const satisfies readonly Stage[];

/** The time at which a wait that begins now is over. */
export function deadlineIn(ms: number, now: Date): Date {
  return new Date(now.getTime() + ms);
}

/** Starts the checkout of an accepted order. */
export function begin(accepted: OrderAccepted, deadlines: Deadlines, { now }: DecisionContext): Decision<Checkout> {
  const order = place({ ...accepted.body, orderId: accepted.key as OrderId, placedAt: now });
  return {
    state: {
      order,
      stage: initial.stage,
      reason: null,
      cancellationAsked: false,
      stockIsBack: false,
      undoPending: { stock: false, payment: false },
      tracking: null,
      confirmedAt: null,
      endedAt: null,
      deadline: deadlineIn(deadlines.stockMs, now),
      correlationId: accepted.correlationId,
      traceparent: accepted.traceparent ?? null,
      newHistory: [],
    },
    messages: [orderPlaced(order), ReserveStock({ orderId: order.orderId, lines: quantitiesOf(order) })],
  };
}

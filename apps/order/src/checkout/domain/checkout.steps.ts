import {
  ArrangeShipment,
  AuthorizePayment,
  CancelShipment,
  type CancellationReason,
  CapturePayment,
  CommitStock,
  type MessageOf,
  ReleaseStock,
  type Said,
  type ShipmentDispatched,
  VoidPayment,
} from '@millrace/contracts';
import type { Decision, DecisionContext } from '@millrace/messaging/decisions';
import { type Checkout, deadlineIn, type Deadlines, type Stage } from './checkout.ts';
import {
  become,
  type Order,
  orderCancelled,
  orderCompleted,
  orderConfirmed,
  orderDispatched,
  quantitiesOf,
} from './order.ts';

/** What a cell of the table does: pure, and named after the business act. */
type Step = (checkout: Checkout, message: unknown, context: DecisionContext) => Decision<Checkout>;

/** The acts of the checkout, for the cells of its table. Each stage that waits is entered with a deadline. */
export function checkoutSteps(deadlines: Deadlines) {
  const limitMs: Readonly<Record<Stage, number | null>> = {
    AwaitingStock: deadlines.stockMs,
    AwaitingPayment: deadlines.paymentMs,
    AwaitingDispatch: deadlines.dispatchMs,
    RecallingShipment: deadlines.recallMs,
    AwaitingCapture: deadlines.captureMs,
    Cancelling: deadlines.undoMs,
    Completed: null,
    Cancelled: null,
  };

  function enter(stage: Stage, checkout: Checkout, now: Date): Checkout {
    const ms = limitMs[stage];
    return ms === null
      ? { ...checkout, stage, deadline: null, endedAt: now }
      : { ...checkout, stage, deadline: deadlineIn(ms, now) };
  }

  const authorizePayment: Step = (checkout, _, { now }) => {
    const { orderId, total, paymentToken } = checkout.order;
    return {
      state: enter('AwaitingPayment', checkout, now),
      messages: [AuthorizePayment({ orderId, amount: total, paymentToken })],
    };
  };

  const confirm: Step = (checkout, _, { now }) => {
    const order = become(checkout.order, 'confirmed');
    const { orderId, shippingAddress } = order;
    return {
      state: enter('AwaitingDispatch', { ...checkout, order, confirmedAt: now }, now),
      messages: [
        orderConfirmed(order),
        ArrangeShipment({ orderId, lines: quantitiesOf(order), address: shippingAddress }),
      ],
    };
  };

  function dispatch(
    checkout: Checkout,
    { body: { carrier, trackingNumber } }: MessageOf<typeof ShipmentDispatched>,
    { now }: DecisionContext,
  ): Decision<Checkout> {
    const order = become(checkout.order, 'dispatched');
    const tracking = { carrier, trackingNumber };
    return {
      state: enter('AwaitingCapture', { ...checkout, order, tracking, reason: null }, now),
      messages: [orderDispatched(order, tracking, checkout.cancellationAsked), ...forward(order)],
    };
  }

  const captureAgain: Step = (checkout, _, { now }) => ({
    state: enter('AwaitingCapture', checkout, now),
    messages: forward(checkout.order),
  });

  const complete: Step = (checkout, _, { now }) => {
    const order = become(checkout.order, 'completed');
    return { state: enter('Completed', { ...checkout, order }, now), messages: [orderCompleted(order)] };
  };

  const endOutOfStock: Step = (checkout, _, { now }) => cancelled(checkout, 'out-of-stock', now);

  function cancelled(checkout: Checkout, reason: CancellationReason, now: Date): Decision<Checkout> {
    const order = become(checkout.order, 'cancelled');
    return {
      state: enter('Cancelled', { ...checkout, order, reason }, now),
      messages: [orderCancelled(order, reason)],
    };
  }

  const recall =
    (reason: CancellationReason): Step =>
    (checkout, _, { now }) => ({
      state: enter('RecallingShipment', cancelling(checkout, reason), now),
      messages: [CancelShipment({ orderId: checkout.order.orderId })],
    });

  const recallAgain: Step = (checkout, _, { now }) => ({
    state: enter('RecallingShipment', checkout, now),
    messages: [CancelShipment({ orderId: checkout.order.orderId })],
  });

  /** Sends the undos of what may have been done and waits for their acknowledgements. */
  const giveUp =
    (reason: CancellationReason, undo: { readonly stock?: true; readonly payment?: true }): Step =>
    (checkout, _, { now }) => {
      const undoPending = { stock: undo.stock ?? false, payment: undo.payment ?? false };
      const state = enter('Cancelling', { ...cancelling(checkout, reason), undoPending }, now);
      return { state, messages: undosOf(state) };
    };

  const giveUpAll = (reason: CancellationReason): Step => giveUp(reason, { stock: true, payment: true });

  const giveUpRecalled: Step = (checkout, _, { now }) => {
    const state = enter(
      'Cancelling',
      { ...checkout, undoPending: { stock: !checkout.stockIsBack, payment: true } },
      now,
    );
    return { state, messages: undosOf(state) };
  };

  const undoAgain: Step = (checkout, _, { now }) => ({
    state: enter('Cancelling', checkout, now),
    messages: undosOf(checkout),
  });

  const acknowledge =
    (what: 'stock' | 'payment'): Step =>
    (checkout, _, { now }) => {
      const state = { ...checkout, undoPending: { ...checkout.undoPending, [what]: false } };
      const isWaiting = state.undoPending.stock || state.undoPending.payment;
      return isWaiting ? { state, messages: [] } : cancelled(state, reasonOf(checkout), now);
    };

  return {
    authorizePayment,
    confirm,
    dispatch,
    captureAgain,
    complete,
    endOutOfStock,
    recall,
    recallAgain,
    giveUp,
    giveUpAll,
    giveUpRecalled,
    undoAgain,
    acknowledge,
    noteStockIsBack,
    noteCancellationAsked,
    releaseLateStock,
    voidLatePayment,
    releaseStrayStock,
    voidStrayPayment,
  };
}

const noteStockIsBack: Step = (checkout) => ({ state: { ...checkout, stockIsBack: true }, messages: [] });

const noteCancellationAsked: Step = (checkout) => ({ state: { ...checkout, cancellationAsked: true }, messages: [] });

/** Stock that was reserved after its undo was acknowledged: undone once more. */
const releaseLateStock: Step = (checkout) => {
  if (checkout.undoPending.stock) return { state: checkout, messages: [] };
  return {
    state: { ...checkout, undoPending: { ...checkout.undoPending, stock: true } },
    messages: [ReleaseStock({ orderId: checkout.order.orderId })],
  };
};

/** Money that was authorized after its undo was acknowledged: undone once more. */
const voidLatePayment: Step = (checkout) => {
  if (checkout.undoPending.payment) return { state: checkout, messages: [] };
  return {
    state: { ...checkout, undoPending: { ...checkout.undoPending, payment: true } },
    messages: [VoidPayment({ orderId: checkout.order.orderId })],
  };
};

const releaseStrayStock: Step = (checkout) => ({
  state: checkout,
  messages: [ReleaseStock({ orderId: checkout.order.orderId })],
});

const voidStrayPayment: Step = (checkout) => ({
  state: checkout,
  messages: [VoidPayment({ orderId: checkout.order.orderId })],
});

/** The first reason counts; that the customer asked is remembered beside it. */
function cancelling(checkout: Checkout, reason: CancellationReason): Checkout {
  return {
    ...checkout,
    order: become(checkout.order, 'cancelling'),
    reason,
    cancellationAsked: checkout.cancellationAsked || reason === 'customer-request',
    stockIsBack: checkout.stockIsBack || reason === 'stock-hold-expired',
  };
}

function reasonOf({ order, reason }: Checkout): CancellationReason {
  if (reason === null) throw new Error(`order ${order.orderId} is being cancelled for no reason`);
  return reason;
}

/** What takes the money and the stock for good. */
function forward({ orderId }: Order): Said[] {
  return [CapturePayment({ orderId }), CommitStock({ orderId })];
}

function undosOf({ order: { orderId }, undoPending }: Checkout): Said[] {
  return [
    ...(undoPending.payment ? [VoidPayment({ orderId })] : []),
    ...(undoPending.stock ? [ReleaseStock({ orderId })] : []),
  ];
}

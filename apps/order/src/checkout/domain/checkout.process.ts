import {
  CancelShipment,
  CapturePayment,
  CommitStock,
  OrderCancelled,
  OrderCompleted,
  OrderConfirmed,
  OrderDispatched,
  ReleaseStock,
  VoidPayment,
  ArrangeShipment,
  AuthorizePayment,
} from '@millrace/contracts';
import { defineProcess, goes, ignored, impossible, type Process, refused } from '@millrace/messaging/process';
import type { Checkout, CheckoutMessage, Deadlines, Stage } from './checkout.ts';
import { checkoutSteps } from './checkout.steps.ts';

/** Nobody asked the cashier for anything yet, so the cashier has nothing to say. */
const noPaymentYet = {
  PaymentAuthorized: impossible,
  PaymentDeclined: impossible,
  PaymentCaptured: impossible,
  PaymentVoided: impossible,
  PaymentRefunded: impossible,
} as const;

/** The money is held and nobody asked for more: only a checkout that captures or gives up does. */
const paymentIsSettled = noPaymentYet;

/** Nobody asked for a parcel yet. */
const noShipmentYet = {
  ShipmentArranged: impossible,
  ShipmentRefused: impossible,
  ShipmentDispatched: impossible,
  ShipmentDelivered: impossible,
  ShipmentCancelled: impossible,
} as const;

const alreadyDispatched = refused('already-dispatched');

/**
 * The checkout of an order: stock, then money, then the parcel, and back when something is in the way. Dispatch is the pivot:
 * once a parcel was asked for, nothing is undone before the dispatcher said that it will not leave; once it left, the order
 * can only go forward. Each participant's messages about an order arrive in order, those of different participants in any.
 */
export function checkoutProcess(deadlines: Deadlines): Process<Stage, Checkout, CheckoutMessage> {
  const step = checkoutSteps(deadlines);
  return defineProcess<Stage, Checkout, CheckoutMessage>({
    name: 'checkout',
    stageOf: (checkout) => checkout.stage,
    table: {
      AwaitingStock: {
        StockReserved: goes('AwaitingPayment', [AuthorizePayment], step.authorizePayment),
        StockRejected: goes('Cancelled', [OrderCancelled], step.endOutOfStock),
        StockReleased: impossible,
        StockCommitted: impossible,
        ...noPaymentYet,
        ...noShipmentYet,
        CancellationRequested: goes('Cancelling', [ReleaseStock], step.giveUp('customer-request', { stock: true })),
        DeadlineExpired: goes('Cancelling', [ReleaseStock], step.giveUp('timed-out', { stock: true })),
      },
      AwaitingPayment: {
        StockReserved: impossible,
        StockRejected: impossible,
        StockReleased: goes('Cancelling', [VoidPayment], step.giveUp('stock-hold-expired', { payment: true })),
        StockCommitted: impossible,
        PaymentAuthorized: goes('AwaitingDispatch', [OrderConfirmed, ArrangeShipment], step.confirm),
        PaymentDeclined: goes('Cancelling', [ReleaseStock], step.giveUp('payment-declined', { stock: true })),
        PaymentCaptured: impossible,
        PaymentVoided: impossible,
        PaymentRefunded: impossible,
        ...noShipmentYet,
        CancellationRequested: goes('Cancelling', [VoidPayment, ReleaseStock], step.giveUpAll('customer-request')),
        DeadlineExpired: goes('Cancelling', [VoidPayment, ReleaseStock], step.giveUpAll('timed-out')),
      },
      AwaitingDispatch: {
        StockReserved: impossible,
        StockRejected: impossible,
        StockReleased: goes('RecallingShipment', [CancelShipment], step.recall('stock-hold-expired')),
        StockCommitted: impossible,
        ...paymentIsSettled,
        ShipmentArranged: ignored('the parcel is booked; the order moves when it leaves'),
        ShipmentRefused: goes('Cancelling', [VoidPayment, ReleaseStock], step.giveUpAll('shipment-refused')),
        ShipmentDispatched: goes('AwaitingCapture', [OrderDispatched, CapturePayment, CommitStock], step.dispatch),
        ShipmentDelivered: impossible,
        ShipmentCancelled: impossible,
        CancellationRequested: goes('RecallingShipment', [CancelShipment], step.recall('customer-request')),
        DeadlineExpired: goes('RecallingShipment', [CancelShipment], step.recall('timed-out')),
      },
      RecallingShipment: {
        StockReserved: impossible,
        StockRejected: impossible,
        StockReleased: goes('RecallingShipment', [], step.noteStockIsBack),
        StockCommitted: impossible,
        ...paymentIsSettled,
        ShipmentArranged: ignored('it was booked before the recall arrived; the recall is answered next'),
        ShipmentRefused: goes('Cancelling', [VoidPayment, ReleaseStock], step.giveUpRecalled),
        ShipmentDispatched: goes('AwaitingCapture', [OrderDispatched, CapturePayment, CommitStock], step.dispatch),
        ShipmentDelivered: impossible,
        ShipmentCancelled: goes('Cancelling', [VoidPayment, ReleaseStock], step.giveUpRecalled),
        CancellationRequested: goes('RecallingShipment', [], step.noteCancellationAsked),
        DeadlineExpired: goes('RecallingShipment', [CancelShipment], step.recallAgain),
      },
      AwaitingCapture: {
        StockReserved: impossible,
        StockRejected: impossible,
        StockReleased: ignored('the hold ran out while the parcel left; CommitStock takes the stock all the same'),
        StockCommitted: ignored('the order waits for the money only'),
        PaymentAuthorized: impossible,
        PaymentDeclined: impossible,
        PaymentCaptured: goes('Completed', [OrderCompleted], step.complete),
        PaymentVoided: impossible,
        PaymentRefunded: impossible,
        ShipmentArranged: impossible,
        ShipmentRefused: impossible,
        ShipmentDispatched: ignored('a recall that came too late is answered with the dispatch once more'),
        ShipmentDelivered: ignored('the parcel was faster than the money'),
        ShipmentCancelled: impossible,
        CancellationRequested: alreadyDispatched,
        DeadlineExpired: goes('AwaitingCapture', [CapturePayment, CommitStock], step.captureAgain),
      },
      Completed: {
        StockReserved: impossible,
        StockRejected: impossible,
        StockReleased: ignored('the hold ran out while the parcel left; CommitStock takes the stock all the same'),
        StockCommitted: ignored('the warehouse was slower than the cashier'),
        PaymentAuthorized: impossible,
        PaymentDeclined: impossible,
        PaymentCaptured: ignored('the money was asked for more than once, and taken once'),
        PaymentVoided: impossible,
        PaymentRefunded: impossible,
        ShipmentArranged: impossible,
        ShipmentRefused: impossible,
        ShipmentDispatched: ignored('a recall that came too late is answered with the dispatch once more'),
        ShipmentDelivered: ignored('the order was complete when the parcel left and the money was taken'),
        ShipmentCancelled: impossible,
        CancellationRequested: alreadyDispatched,
        DeadlineExpired: ignored('nothing is waited for'),
      },
      Cancelling: {
        StockReserved: goes('Cancelling', [ReleaseStock], step.releaseLateStock),
        StockRejected: ignored('nothing is held; the ReleaseStock that followed is answered too'),
        StockReleased: goes(['Cancelling', 'Cancelled'], [OrderCancelled], step.acknowledge('stock')),
        StockCommitted: impossible,
        PaymentAuthorized: goes('Cancelling', [VoidPayment], step.voidLatePayment),
        PaymentDeclined: ignored('nothing is held; the VoidPayment that followed is answered too'),
        PaymentCaptured: impossible,
        PaymentVoided: goes(['Cancelling', 'Cancelled'], [OrderCancelled], step.acknowledge('payment')),
        PaymentRefunded: goes(['Cancelling', 'Cancelled'], [OrderCancelled], step.acknowledge('payment')),
        ShipmentArranged: impossible,
        ShipmentRefused: ignored('a parcel that was refused and recalled is answered twice'),
        ShipmentDispatched: impossible,
        ShipmentDelivered: impossible,
        ShipmentCancelled: ignored('a parcel that was recalled twice, or refused and recalled, is answered twice'),
        CancellationRequested: ignored('the order is being cancelled already'),
        DeadlineExpired: goes('Cancelling', [VoidPayment, ReleaseStock], step.undoAgain),
      },
      Cancelled: {
        StockReserved: goes('Cancelled', [ReleaseStock], step.releaseStrayStock),
        StockRejected: ignored('a reservation that was held up is refused once its stock was given up'),
        StockReleased: ignored('the hold ran out, and then ReleaseStock was answered too'),
        StockCommitted: impossible,
        PaymentAuthorized: goes('Cancelled', [VoidPayment], step.voidStrayPayment),
        PaymentDeclined: ignored('an authorization that was held up is refused once the payment was given up'),
        PaymentCaptured: impossible,
        PaymentVoided: ignored('VoidPayment was sent more than once'),
        PaymentRefunded: ignored('VoidPayment was sent more than once'),
        ShipmentArranged: impossible,
        ShipmentRefused: ignored('a parcel that was refused and recalled is answered twice'),
        ShipmentDispatched: impossible,
        ShipmentDelivered: impossible,
        ShipmentCancelled: ignored('a parcel that was recalled twice, or refused and recalled, is answered twice'),
        CancellationRequested: ignored('the order is cancelled already'),
        DeadlineExpired: ignored('nothing is waited for'),
      },
    },
  });
}

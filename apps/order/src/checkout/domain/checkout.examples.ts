import {
  type BodyOf,
  type CustomerId,
  newId,
  type OrderId,
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  type PaymentId,
  PaymentRefunded,
  PaymentVoided,
  ShipmentArranged,
  ShipmentCancelled,
  ShipmentDelivered,
  ShipmentDispatched,
  type ShipmentId,
  ShipmentRefused,
  type Sku,
  StockCommitted,
  StockRejected,
  StockReleased,
  StockReserved,
} from '@millrace/contracts';
import { localMessage } from '@millrace/messaging';
import { heard } from '@millrace/messaging/testing';
import type { CheckoutMessage, Deadlines, OrderAccepted } from './checkout.ts';

/** Deadlines that differ, so that a test can tell which one was set. */
export const deadlines: Deadlines = {
  stockMs: 1_000,
  paymentMs: 2_000,
  dispatchMs: 3_000,
  recallMs: 4_000,
  captureMs: 5_000,
  undoMs: 6_000,
};

export const total = { amountMinor: 2_500, currency: 'EUR' };

const lines: OrderAccepted['body']['lines'] = [
  { sku: 'KETTLE' as Sku, name: 'Kettle', quantity: 2, unitPrice: { amountMinor: 1_000, currency: 'EUR' } },
  { sku: 'CUP' as Sku, name: 'Cup', quantity: 1, unitPrice: { amountMinor: 500, currency: 'EUR' } },
];

/** An accepted order of a kettle and a cup. */
export function accepted(
  orderId: OrderId = newId<OrderId>(),
  now = new Date('2026-01-01T00:00:00.000Z'),
): OrderAccepted {
  return localMessage(
    'OrderAccepted',
    orderId,
    {
      customerId: 'ada' as CustomerId,
      lines,
      total,
      shippingAddress: { name: 'Ada', street: 'Main 1', postcode: '10115', city: 'Berlin', country: 'DE' },
      contact: { name: 'Ada', email: 'ada@example.com' },
      paymentToken: 'tok_approved',
    },
    { source: 'order', now },
  );
}

/** The quantities of the accepted order. */
export const quantities = lines.map(({ sku, quantity }) => ({ sku, quantity }));

const paymentId = newId<PaymentId>();
const shipmentId = newId<ShipmentId>();

/** Every message that a checkout can hear, about one order. */
export function messagesAbout(orderId: OrderId) {
  const said = { source: 'order', now: new Date(0) };
  return {
    StockReserved: heard(StockReserved, { orderId, lines: quantities, heldUntil: '2026-01-01T00:10:00.000Z' }),
    StockRejected: heard(StockRejected, { orderId, missing: [] }),
    StockReleased: heard(StockReleased, { orderId, reason: 'requested' }),
    StockCommitted: heard(StockCommitted, { orderId, lines: quantities }),
    PaymentAuthorized: heard(PaymentAuthorized, { orderId, paymentId, amount: total }),
    PaymentDeclined: heard(PaymentDeclined, { orderId, reason: 'card-declined' }),
    PaymentCaptured: heard(PaymentCaptured, { orderId, paymentId, amount: total }),
    PaymentVoided: heard(PaymentVoided, { orderId }),
    PaymentRefunded: heard(PaymentRefunded, { orderId, paymentId, amount: total }),
    ShipmentArranged: heard(ShipmentArranged, { orderId, shipmentId, carrier: 'swift', trackingNumber: 'S1' }),
    ShipmentRefused: heard(ShipmentRefused, { orderId, reason: 'postcode-not-served' }),
    ShipmentDispatched: heard(ShipmentDispatched, { orderId, shipmentId, carrier: 'swift', trackingNumber: 'S1' }),
    ShipmentDelivered: heard(ShipmentDelivered, { orderId, shipmentId }),
    ShipmentCancelled: heard(ShipmentCancelled, { orderId }),
    CancellationRequested: localMessage('CancellationRequested', orderId, {}, said),
    DeadlineExpired: localMessage('DeadlineExpired', orderId, {}, said),
  } satisfies { [Type in CheckoutMessage['type']]: Extract<CheckoutMessage, { type: Type }> };
}

/** The hold of the order ran out by itself. */
export function stockExpired(orderId: OrderId): CheckoutMessage {
  return heard(StockReleased, { orderId, reason: 'expired' } satisfies BodyOf<typeof StockReleased>);
}

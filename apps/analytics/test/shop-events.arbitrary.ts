import * as contracts from '@millrace/contracts';
import { heard } from '@millrace/messaging/testing';
import fc from 'fast-check';
import type { ShopEvent } from '../src/figures/domain/shop-events.ts';

// Few orders, products, minutes and names, so that events meet in the same rows.
const orderId = fc
  .integer({ min: 1, max: 9 })
  .map((n) => contracts.OrderId.parse(`00000000-0000-7000-8000-00000000000${n}`));
const sku = fc.constantFrom('MUG-1', 'TEA-2', 'POT-3').map((text) => contracts.Sku.parse(text));
const currency = fc.constantFrom('EUR', 'USD');
const name = fc.constantFrom('Mug', 'mug', 'Émail-Becher', '\u{ff5e}', '\u{1f375}', 'nul\0byte', 'half \ud83c');
const START_MS = Date.parse('2026-01-01T12:00:00.000Z');
const time = fc.integer({ min: 0, max: 299_999 }).map((ms) => new Date(START_MS + ms));
const placedAt = fc
  .oneof(fc.constantFrom(-1_000, -500), fc.integer({ min: -60_000, max: 1_000 }))
  .map((ms) => new Date(START_MS + ms).toISOString());
const money = fc.record({ amountMinor: fc.integer({ min: 0, max: 10_000_000 }), currency });
const lines = fc.array(fc.record({ sku, name, quantity: fc.integer({ min: 1, max: 5 }), unitPrice: money }), {
  minLength: 1,
  maxLength: 3,
});
const contact = { name: 'Ada', email: 'ada@example.com' };

function event<C extends contracts.AnyContract>(
  contract: C,
  body: fc.Arbitrary<contracts.BodyOf<C>>,
): fc.Arbitrary<contracts.MessageOf<C>> {
  return fc.record({ body, at: time }).map((one) => heard(contract, one.body, { time: one.at }));
}

/** Any event that the figures do more with than count it, and one that they only count. */
export const shopEvent: fc.Arbitrary<ShopEvent> = fc.oneof(
  event(
    contracts.OrderPlaced,
    fc.record({
      orderId,
      customerId: fc.constant(contracts.CustomerId.parse('c1')),
      lines,
      total: money,
      shippingAddress: fc.constant({ name: 'Ada', street: '1 Mill Lane', postcode: '1', city: 'Leeds', country: 'GB' }),
    }),
  ),
  event(contracts.OrderConfirmed, fc.record({ orderId, contact: fc.constant(contact), lines, total: money, placedAt })),
  event(
    contracts.OrderDispatched,
    fc.record({
      orderId,
      contact: fc.constant(contact),
      carrier: fc.constant('post'),
      trackingNumber: fc.constant('T1'),
      cancellationCameTooLate: fc.boolean(),
      placedAt,
    }),
  ),
  event(contracts.OrderCompleted, fc.record({ orderId, lines, total: money, placedAt })),
  event(
    contracts.OrderCancelled,
    fc.record({
      orderId,
      contact: fc.constant(contact),
      reason: fc.constantFrom(...contracts.CancellationReason.options),
      total: money,
      placedAt,
    }),
  ),
  event(
    contracts.StockRejected,
    fc.record({
      orderId,
      missing: fc.array(
        fc.record({ sku, requested: fc.integer({ min: 1, max: 9 }), available: fc.integer({ min: 0, max: 9 }) }),
        { maxLength: 3 },
      ),
    }),
  ),
  event(
    contracts.PaymentDeclined,
    fc.record({ orderId, reason: fc.constantFrom('card-declined', 'insufficient-funds', 'payment-voided') }),
  ),
  event(
    contracts.ShipmentRefused,
    fc.record({ orderId, reason: fc.constantFrom('postcode-not-served', 'shipment-cancelled') }),
  ),
  event(
    contracts.NotificationSent,
    fc.record({ orderId, kind: fc.constantFrom(...contracts.NotificationKind.options), channel: fc.constant('email') }),
  ),
  event(contracts.PaymentVoided, fc.record({ orderId })),
);

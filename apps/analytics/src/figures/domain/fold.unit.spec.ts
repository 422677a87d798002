import {
  catalogue,
  CustomerId,
  NotificationSent,
  OrderCancelled,
  OrderCompleted,
  OrderConfirmed,
  OrderId,
  OrderPlaced,
  PaymentDeclined,
  PaymentVoided,
  ShipmentDispatched,
  ShipmentRefused,
  Sku,
  StockRejected,
} from '@millrace/contracts';
import { heard } from '@millrace/messaging/testing';
import { describe, expect, it } from '@jest/globals';
import { bucketOf } from './latency-buckets.ts';
import { fold } from './fold.ts';
import { shopEvents } from './shop-events.ts';

const orderId = OrderId.parse('0199c0de-0000-7000-8000-000000000001');
const contact = { name: 'Ada', email: 'ada@example.com' };
const MUG = Sku.parse('MUG-1');
const TEA = Sku.parse('TEA-2');
const eur = (amountMinor: number) => ({ amountMinor, currency: 'EUR' });
const line = (sku: Sku, quantity: number, amountMinor: number, name = sku.toLowerCase()) => ({
  sku,
  name,
  quantity,
  unitPrice: eur(amountMinor),
});
const at = (text: string) => ({ time: new Date(`2026-01-01T${text}Z`) });
const placedAt = '2026-01-01T12:00:00.000Z';

describe('the figures of a batch', () => {
  it('hear every event of the catalogue and no command', () => {
    const events = catalogue.filter(({ topic }) => topic.name.includes('.events.'));
    expect(new Set(shopEvents)).toEqual(new Set(events));
  });

  it('put orders and revenue into the minute of the event, by currency', () => {
    const { orderMinutes } = fold([
      heard(OrderCompleted, { orderId, lines: [line(MUG, 1, 700)], total: eur(700), placedAt }, at('12:01:00.000')),
      heard(
        OrderPlaced,
        {
          orderId,
          customerId: CustomerId.parse('c1'),
          lines: [line(MUG, 1, 700)],
          total: eur(700),
          shippingAddress: { name: 'Ada', street: '1 Mill Lane', postcode: 'LS1', city: 'Leeds', country: 'GB' },
        },
        at('12:00:59.999'),
      ),
      heard(OrderCompleted, { orderId, lines: [line(TEA, 1, 30)], total: eur(30), placedAt }, at('12:01:59.999')),
      heard(
        OrderCancelled,
        { orderId, contact, reason: 'timed-out', total: { amountMinor: 5, currency: 'CHF' }, placedAt },
        at('12:01:30.000'),
      ),
    ]);
    const none = { placed: 0, confirmed: 0, completed: 0, cancelled: 0, revenueMinor: 0n };
    const minute = (text: string) => at(`${text}:00.000`).time;
    expect(orderMinutes).toEqual([
      { ...none, minute: minute('12:00'), currency: 'EUR', placed: 1 },
      { ...none, minute: minute('12:01'), currency: 'CHF', cancelled: 1 },
      { ...none, minute: minute('12:01'), currency: 'EUR', completed: 2, revenueMinor: 730n },
    ]);
  });

  it('count steps, cancellations and refusals by reason, notifications by kind, and every message', () => {
    const { tallies } = fold([
      heard(OrderConfirmed, { orderId, contact, lines: [line(MUG, 1, 1)], total: eur(1), placedAt }),
      heard(OrderCancelled, { orderId, contact, reason: 'shipment-refused', total: eur(1), placedAt }),
      heard(PaymentDeclined, { orderId, reason: 'insufficient-funds' }),
      heard(PaymentDeclined, { orderId, reason: 'insufficient-funds' }),
      heard(ShipmentRefused, { orderId, reason: 'postcode-not-served' }),
      heard(StockRejected, { orderId, missing: [] }),
      heard(NotificationSent, { orderId, kind: 'order-confirmed', channel: 'email' }),
      heard(PaymentVoided, { orderId }),
    ]);
    expect(tallies.map(({ subject, item, times }) => `${subject} ${item} ${times}`)).toEqual([
      'cancellation shipment-refused 1',
      'message NotificationSent 1',
      'message OrderCancelled 1',
      'message OrderConfirmed 1',
      'message PaymentDeclined 2',
      'message PaymentVoided 1',
      'message ShipmentRefused 1',
      'message StockRejected 1',
      'notification-sent order-confirmed 1',
      'payment-declined insufficient-funds 2',
      'shipment-refused postcode-not-served 1',
      'step confirmed 1',
      'stock-rejected already-released 1',
    ]);
  });

  it('count an order as dispatched when the order says so, not when the shipping service repeats itself', () => {
    const shipment = { orderId, shipmentId: orderId as never, carrier: 'post', trackingNumber: 'T1' };
    const { tallies } = fold([heard(ShipmentDispatched, shipment), heard(ShipmentDispatched, shipment)]);
    expect(tallies).toEqual([{ subject: 'message', item: 'ShipmentDispatched', times: 2 }]);
  });

  it('add up what completed orders sold of a product, also on two lines of one order', () => {
    const { productSales } = fold([
      heard(OrderCompleted, {
        orderId,
        lines: [line(TEA, 2, 350), line(MUG, 1, 900), line(TEA, 3, 300)],
        total: eur(2_500),
        placedAt,
      }),
    ]);
    expect(productSales).toMatchObject([
      { sku: MUG, units: 1n, revenueMinor: 900n },
      { sku: TEA, units: 5n, revenueMinor: 1_600n },
    ]);
  });

  it('call a product as the order that was placed last calls it, whichever was completed last', () => {
    const completed = (name: string, placed: string) =>
      heard(OrderCompleted, {
        orderId,
        lines: [line(MUG, 1, 1, name)],
        total: eur(1),
        placedAt: `2026-01-01T${placed}.000Z`,
      });
    const { productSales } = fold([completed('New mug', '12:05:00'), completed('Old mug', '12:00:00')]);
    expect(productSales).toMatchObject([{ name: 'New mug', namedAt: new Date('2026-01-01T12:05:00.000Z'), units: 2n }]);
  });

  it('count an order once for each product it missed', () => {
    const missing = (sku: Sku) => ({ sku, requested: 2, available: 1 });
    const { stockOuts } = fold([
      heard(StockRejected, { orderId, missing: [missing(MUG), missing(TEA), missing(MUG)] }, at('12:00:02.000')),
      heard(StockRejected, { orderId, missing: [missing(MUG)] }, at('12:00:01.000')),
    ]);
    expect(stockOuts).toEqual([
      { sku: MUG, times: 2, lastAt: at('12:00:02.000').time },
      { sku: TEA, times: 1, lastAt: at('12:00:02.000').time },
    ]);
  });

  it('measure each step from when the order was placed', () => {
    const { latencies } = fold([
      heard(
        OrderConfirmed,
        { orderId, contact, lines: [line(MUG, 1, 1)], total: eur(1), placedAt },
        at('12:00:00.020'),
      ),
      heard(OrderCompleted, { orderId, lines: [line(MUG, 1, 1)], total: eur(1), placedAt }, at('12:00:03.000')),
    ]);
    expect(latencies).toEqual([
      { step: 'completed', bucket: bucketOf(3_000), orders: 1 },
      { step: 'confirmed', bucket: bucketOf(20), orders: 1 },
    ]);
  });
});

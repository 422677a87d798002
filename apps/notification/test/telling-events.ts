import {
  OrderCancelled,
  OrderConfirmed,
  OrderDispatched,
  type BodyOf,
  newId,
  type OrderId,
  Sku,
} from '@millrace/contracts';

const ada = { name: 'Ada Lovelace', email: 'ada@example.com' };

type Some<Body> = Partial<Body>;

export function confirmed(some: Some<BodyOf<typeof OrderConfirmed>> = {}): BodyOf<typeof OrderConfirmed> {
  const mug = { sku: Sku.parse('MUG-1'), name: 'Mug', quantity: 2, unitPrice: { amountMinor: 950, currency: 'EUR' } };
  return {
    orderId: newId<OrderId>(),
    contact: ada,
    lines: [mug],
    total: { amountMinor: 1_900, currency: 'EUR' },
    placedAt: '2026-01-01T12:00:00.000Z',
    ...some,
  };
}

export function cancelled(some: Some<BodyOf<typeof OrderCancelled>> = {}): BodyOf<typeof OrderCancelled> {
  return {
    orderId: newId<OrderId>(),
    contact: ada,
    reason: 'out-of-stock',
    total: { amountMinor: 1_900, currency: 'EUR' },
    placedAt: '2026-01-01T12:00:00.000Z',
    ...some,
  };
}

export function dispatched(some: Some<BodyOf<typeof OrderDispatched>> = {}): BodyOf<typeof OrderDispatched> {
  return {
    orderId: newId<OrderId>(),
    contact: ada,
    carrier: 'Millpost',
    trackingNumber: 'MP123',
    cancellationCameTooLate: false,
    placedAt: '2026-01-01T12:00:00.000Z',
    ...some,
  };
}

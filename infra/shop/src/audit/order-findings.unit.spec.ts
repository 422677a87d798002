import { describe, expect, it } from '@jest/globals';
import type { OrderBooks } from '../books/accounts.ts';
import { findingsPerOrder } from './order-findings.ts';

const since = new Date('2026-11-22T10:00:00Z');
const ids = ['one', 'two'];

/** Two orders that were shipped, in a shop that has just sent a mail of a third one. */
const books: OrderBooks = {
  orders: ids.map((orderId) => ({
    orderId,
    status: 'completed',
    isConfirmed: true,
    totalMinor: 1490n,
    currency: 'EUR',
    lines: [{ sku: 'MUG-BLUE', quantity: 1 }],
  })),
  charges: ids.flatMap((orderId) =>
    ['authorize', 'capture'].map((kind) => ({ orderId, reference: `ch_${orderId}`, kind, amountMinor: 1490n })),
  ),
  payments: ids.map((orderId) => ({ orderId, capturedMinor: 1490n, refundedMinor: 0n })),
  shipments: ids.map((orderId) => ({ orderId, status: 'dispatched' })),
  notifications: ids.flatMap((orderId) =>
    ['order-confirmed', 'order-dispatched'].map((kind) => ({
      orderId,
      kind,
      status: 'sent',
      messageId: `${orderId}-${kind}`,
      recordedAt: since,
    })),
  ),
  mails: {
    since,
    arrivals: new Map([
      ...ids.flatMap((id) => [`${id}-order-confirmed`, `${id}-order-dispatched`].map((mail) => [mail, 1] as const)),
      ['three-order-confirmed', 1],
    ]),
  },
};

const found = (changes: Partial<OrderBooks>) => {
  const findings = findingsPerOrder({ ...books, ...changes });
  return Object.fromEntries([...findings].map(([orderId, list]) => [orderId, list.map(({ slug }) => slug)]));
};

describe('the books of orders in an open shop', () => {
  it('balance, whatever is under way beside them', () => {
    expect(found({})).toEqual({});
  });

  it.each<[string, Partial<OrderBooks>, string[]]>([
    [
      'a second capture',
      { charges: [...books.charges, { orderId: 'two', reference: 'ch_2', kind: 'capture', amountMinor: 1490n }] },
      ['charged-once', 'charged-once', 'payments-agree'],
    ],
    [
      'money left held',
      { charges: [...books.charges, { orderId: 'two', reference: 'ch_2', kind: 'authorize', amountMinor: 1490n }] },
      ['no-money-held'],
    ],
    ['no parcel', { shipments: books.shipments.slice(0, 1) }, ['shipped-once']],
    ['a customer who was not told', { notifications: books.notifications.slice(0, 3) }, ['told-once']],
    [
      'a mail that did not arrive',
      { mails: { since, arrivals: new Map([...books.mails.arrivals].filter(([id]) => id !== 'two-order-confirmed')) } },
      ['told-once'],
    ],
  ])('tell of %s, and of which order', (_, changes, slugs) => {
    expect(found(changes)).toEqual({ two: slugs });
  });

  it('forgive a mail that arrived twice: a crash may do that', () => {
    expect(
      found({ mails: { since, arrivals: new Map([...books.mails.arrivals, ['two-order-confirmed', 2]]) } }),
    ).toEqual({});
  });
});

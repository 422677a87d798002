import { describe, expect, it } from '@jest/globals';
import type { OrderBooks } from '../books/accounts.ts';
import { findingsPerOrder, wrongOrders } from './order-findings.ts';

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

  it.each([
    ['forgive a refused mail address: the customer counts as told', 'failed', {}],
    ['do not forgive a mail that is neither sent nor refused', 'waiting', { two: ['told-once'] }],
  ])('%s', (_, status, expected) => {
    const notifications = books.notifications.map((one) => (one.orderId === 'two' ? { ...one, status } : one));
    const arrivals = new Map([...books.mails.arrivals].filter(([id]) => !id.startsWith('two')));
    expect(found({ notifications, mails: { since, arrivals } })).toEqual(expected);
  });

  it('are read some orders at a time, and the mails once, after all that was noted', async () => {
    const read: string[] = [];
    const mine = <T extends { readonly orderId: string }>(all: readonly T[], orderIds: readonly string[]) =>
      all.filter(({ orderId }) => orderIds.includes(orderId));
    const wrong = await wrongOrders(
      ids,
      {
        notifications: async (some) => {
          read.push(`told ${some.join()}`);
          return mine(books.notifications, some);
        },
        mails: async () => {
          read.push('mails');
          return books.mails;
        },
        accounts: async (some) => {
          read.push(`accounts ${some.join()}`);
          const shipments = mine(books.shipments.slice(0, 1), some);
          return {
            orders: mine(books.orders, some),
            charges: mine(books.charges, some),
            payments: mine(books.payments, some),
            shipments,
          };
        },
      },
      1,
    );
    expect(read).toEqual(['told one', 'told two', 'mails', 'accounts one', 'accounts two']);
    expect([...wrong.keys()]).toEqual(['two']);
  });

  it('forgive a mail that arrived twice: a crash may do that', () => {
    expect(
      found({ mails: { since, arrivals: new Map([...books.mails.arrivals, ['two-order-confirmed', 2]]) } }),
    ).toEqual({});
  });
});

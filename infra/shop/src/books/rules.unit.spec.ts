import { describe, expect, it } from '@jest/globals';
import type { Accounts, Charge, NotificationAccount, OrderAccount } from './accounts.ts';
import { rules } from './rules.ts';

const since = new Date('2026-11-22T10:00:00Z');

const order = (orderId: string, status: string, isConfirmed: boolean): OrderAccount => ({
  orderId,
  status,
  isConfirmed,
  totalMinor: 1490n,
  currency: 'EUR',
  lines: [{ sku: 'MUG-BLUE', quantity: 1 }],
});

const charge = (orderId: string, kind: string): Charge => ({
  orderId,
  reference: `ch_${orderId}`,
  kind,
  amountMinor: 1490n,
});

const told = (orderId: string, kind: string): NotificationAccount => ({
  orderId,
  kind,
  status: 'sent',
  messageId: `${orderId}-${kind}`,
  recordedAt: since,
});

/** The books of a shop in which one order was shipped, one was cancelled after its payment, and one found no stock. */
const balanced: Accounts = {
  orders: [
    order('shipped', 'completed', true),
    order('undone', 'cancelled', true),
    order('refused', 'cancelled', false),
  ],
  charges: [
    charge('shipped', 'authorize'),
    charge('shipped', 'capture'),
    charge('undone', 'authorize'),
    charge('undone', 'void'),
  ],
  payments: [
    { orderId: 'shipped', capturedMinor: 1490n, refundedMinor: 0n },
    { orderId: 'undone', capturedMinor: 0n, refundedMinor: 0n },
  ],
  stock: [{ sku: 'MUG-BLUE', onHand: 9, reserved: 0, arrived: 10 }],
  shipments: [
    { orderId: 'shipped', status: 'dispatched' },
    { orderId: 'undone', status: 'refused' },
  ],
  notifications: [
    told('shipped', 'order-confirmed'),
    told('shipped', 'order-dispatched'),
    told('undone', 'order-confirmed'),
    told('undone', 'order-cancelled'),
    told('refused', 'order-cancelled'),
  ],
  mails: {
    since,
    arrivals: new Map(
      [
        'shipped-order-confirmed',
        'shipped-order-dispatched',
        'undone-order-confirmed',
        'undone-order-cancelled',
        'refused-order-cancelled',
      ].map((id) => [id, 1]),
    ),
  },
  figures: [{ currency: 'EUR', placed: 3, completed: 1, cancelled: 2, revenueMinor: 1490n }],
  outboxes: { order: 0, inventory: 0, payment: 0, shipping: 0, notification: 0, analytics: 0 },
  parked: { order: 0, inventory: 0, payment: 0, shipping: 0, notification: 0, analytics: 0 },
  deadLetters: new Map(),
};

function findingsIn(accounts: Accounts): string[] {
  return rules.flatMap((rule) => rule.findings(accounts));
}

describe('the books', () => {
  it('balance when every order ended with what it is due', () => {
    expect(findingsIn(balanced)).toEqual([]);
  });

  it.each<[string, Partial<Accounts>, string]>([
    [
      'an order that has not ended',
      {
        orders: [...balanced.orders, { ...order('stuck', 'placed', false) }],
        figures: [{ currency: 'EUR', placed: 4, completed: 1, cancelled: 2, revenueMinor: 1490n }],
      },
      'order stuck is placed',
    ],
    [
      'a second capture',
      {
        charges: [...balanced.charges, { ...charge('shipped', 'capture'), reference: 'ch_2' }],
        payments: [{ orderId: 'shipped', capturedMinor: 2980n, refundedMinor: 0n }],
      },
      'order shipped (completed) has paid 2980, and owes 1490',
    ],
    [
      'a capture nobody ordered',
      { charges: [...balanced.charges, charge('ghost', 'decline')] },
      'the provider has charges of an unknown order ghost',
    ],
    [
      'money left held',
      { charges: balanced.charges.filter(({ kind }) => kind !== 'void') },
      'ch_undone of order undone is authorized still',
    ],
    [
      'a capture that the service does not know of',
      { payments: [{ orderId: 'shipped', capturedMinor: 0n, refundedMinor: 0n }] },
      'order shipped: 0 captured, 0 refunded here; 1490 captured, 0 refunded at the provider',
    ],
    [
      'stock that is gone',
      { stock: [{ sku: 'MUG-BLUE', onHand: 8, reserved: 0, arrived: 10 }] },
      'MUG-BLUE: 8 on the shelf and 1 sold, of 10',
    ],
    [
      'stock left reserved',
      { stock: [{ sku: 'MUG-BLUE', onHand: 9, reserved: 1, arrived: 10 }] },
      'MUG-BLUE: 1 reserved still',
    ],
    [
      'a parcel for a cancelled order',
      { shipments: [...balanced.shipments, { orderId: 'refused', status: 'delivered' }] },
      'order refused (cancelled) has 1 parcels under way',
    ],
    ['a parcel that never left', { shipments: [] }, 'order shipped (completed) has 0 parcels under way'],
    [
      'a customer who was not told',
      {
        notifications: balanced.notifications.slice(1),
        mails: { since, arrivals: new Map([...balanced.mails.arrivals].slice(1)) },
      },
      'the customer of order shipped was told: order-dispatched; due: order-confirmed, order-dispatched',
    ],
    [
      'a mail that arrived twice',
      { mails: { since, arrivals: new Map([...balanced.mails.arrivals, ['refused-order-cancelled', 2]]) } },
      'the mail refused-order-cancelled arrived 2 times',
    ],
    [
      'a mail that never arrived',
      {
        mails: {
          since,
          arrivals: new Map([...balanced.mails.arrivals].filter(([id]) => id !== 'refused-order-cancelled')),
        },
      },
      'the mail order-cancelled of order refused never arrived',
    ],
    [
      'a mail that nobody noted',
      { mails: { since, arrivals: new Map([...balanced.mails.arrivals, ['stray', 1]]) } },
      'a mail stray was sent and not noted',
    ],
    [
      'a message left in an outbox',
      { outboxes: { ...balanced.outboxes, payment: 2 } },
      '2 messages wait in the outbox of payment',
    ],
    [
      'a message that is parked',
      { parked: { ...balanced.parked, payment: 2 } },
      '2 messages of payment wait to be tried again, or for a person',
    ],
    ['a dead letter', { deadLetters: new Map([['order.checkout.dlq', 1]]) }, 'order.checkout.dlq holds 1'],
    [
      'revenue that analytics missed',
      { figures: [{ currency: 'EUR', placed: 3, completed: 1, cancelled: 2, revenueMinor: 0n }] },
      'EUR: counted 3 placed, 1 completed, 2 cancelled, revenue 0; there are 3 placed, 1 completed, 2 cancelled, revenue 1490',
    ],
  ])('do not balance with %s', (_, changes, finding) => {
    expect(findingsIn({ ...balanced, ...changes })).toContain(finding);
  });

  it('balance when mails of before this start are not there any more', () => {
    const before = {
      ...balanced,
      notifications: balanced.notifications.map((one) => ({ ...one, recordedAt: new Date(0) })),
    };
    expect(findingsIn({ ...before, mails: { since, arrivals: new Map() } })).toEqual([]);
  });
});

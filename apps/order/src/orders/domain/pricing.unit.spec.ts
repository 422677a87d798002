import { describe, expect, it } from '@jest/globals';
import type { Sku } from '@millrace/contracts';
import { PlaceOrder } from './place-order.ts';
import { priced, type PricedProduct } from './pricing.ts';

const product = (sku: string, amountMinor: number, currency = 'EUR'): [Sku, PricedProduct] => [
  sku as Sku,
  { sku: sku as Sku, name: `The ${sku}`, price: { amountMinor, currency } },
];

const products = new Map([
  product('MUG-BLUE', 1290),
  product('TEA-GREEN', 799),
  product('POSTER-US', 2500, 'USD'),
  product('GOLD', Number.MAX_SAFE_INTEGER),
]);

const wanted = (...lines: [sku: string, quantity: number][]): PlaceOrder =>
  PlaceOrder.parse({
    customerId: 'customer-1',
    lines: lines.map(([sku, quantity]) => ({ sku, quantity })),
    currency: 'EUR',
    shippingAddress: {
      name: 'Ada',
      email: 'ada@example.com',
      street: 'Marktplatz 1',
      postcode: '10115',
      city: 'Berlin',
      country: 'DE',
    },
    paymentToken: 'tok_approved',
  });

describe('pricing an order', () => {
  it('takes name and price of each line from the catalog and adds them up', () => {
    expect(priced(wanted(['MUG-BLUE', 2], ['TEA-GREEN', 1]), products)).toEqual({
      kind: 'priced',
      lines: [
        { sku: 'MUG-BLUE', name: 'The MUG-BLUE', quantity: 2, unitPrice: { amountMinor: 1290, currency: 'EUR' } },
        { sku: 'TEA-GREEN', name: 'The TEA-GREEN', quantity: 1, unitPrice: { amountMinor: 799, currency: 'EUR' } },
      ],
      total: { amountMinor: 3379, currency: 'EUR' },
    });
  });

  it('names every line that cannot be sold, and why', () => {
    expect(priced(wanted(['MUG-GONE', 1], ['MUG-BLUE', 1], ['POSTER-US', 1]), products)).toEqual({
      kind: 'not-for-sale',
      unsellable: [
        { line: 0, sku: 'MUG-GONE', because: 'unknown-sku' },
        { line: 2, sku: 'POSTER-US', because: 'not-sold-in-currency' },
      ],
    });
  });

  it('refuses a total that could not be told to the cent', () => {
    expect(priced(wanted(['GOLD', 1000]), products)).toEqual({ kind: 'too-large' });
    expect(priced(wanted(['GOLD', 1], ['MUG-BLUE', 1]), products)).toEqual({ kind: 'too-large' });
  });
});

import { describe, expect, it } from '@jest/globals';
import { PlaceOrder } from '../domain/place-order.ts';
import { requestHashOf } from './request-hash.ts';

const request = {
  customerId: 'customer-1',
  lines: [{ sku: 'MUG-BLUE', quantity: 2 }],
  currency: 'EUR',
  shippingAddress: {
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    street: 'Marktplatz 1',
    postcode: '10115',
    city: 'Berlin',
    country: 'DE',
  },
  paymentToken: 'tok_approved',
};

describe('the hash of a request', () => {
  const hashOf = (body: unknown): string => requestHashOf(PlaceOrder.parse(body));

  it('is the same whatever the order of the fields', () => {
    const reversed = Object.fromEntries(Object.entries(request).toReversed());
    expect(hashOf(reversed)).toBe(hashOf(request));
  });

  it('is the same with spaces around an address line', () => {
    const shippingAddress = { ...request.shippingAddress, city: ' Berlin ' };
    expect(hashOf({ ...request, shippingAddress })).toBe(hashOf(request));
  });

  it.each([
    ['customer', { customerId: 'customer-2' }],
    ['quantity', { lines: [{ sku: 'MUG-BLUE', quantity: 3 }] }],
    ['currency', { currency: 'USD' }],
    ['token', { paymentToken: 'tok_declined' }],
  ])('differs with another %s', (_, change) => {
    expect(hashOf({ ...request, ...change })).not.toBe(hashOf(request));
  });
});

import { describe, expect, it } from '@jest/globals';
import { PlaceOrder } from './place-order.ts';

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

function complaintsAbout(body: unknown): string[] {
  const result = PlaceOrder.safeParse(body);
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('a request to place an order', () => {
  it('is complete with customer, lines, currency, address and token', () => {
    expect(complaintsAbout(request)).toEqual([]);
  });

  it.each([
    ['no line', []],
    ['more than 50 lines', Array.from({ length: 51 }, (_, index) => ({ sku: `SKU-${index}`, quantity: 1 }))],
    ['a quantity of 0', [{ sku: 'MUG-BLUE', quantity: 0 }]],
    ['a quantity over 1000', [{ sku: 'MUG-BLUE', quantity: 1001 }]],
    ['half a piece', [{ sku: 'MUG-BLUE', quantity: 0.5 }]],
    ['a quantity written as text', [{ sku: 'MUG-BLUE', quantity: '2' }]],
  ])('is refused with %s', (_, lines) => {
    expect(complaintsAbout({ ...request, lines })).not.toEqual([]);
  });

  it('is refused when a sku stands on two lines, naming the second', () => {
    const lines = [
      { sku: 'MUG-BLUE', quantity: 1 },
      { sku: 'MUG-RED', quantity: 1 },
      { sku: 'MUG-BLUE', quantity: 3 },
    ];
    expect(complaintsAbout({ ...request, lines })).toEqual([
      'lines.2.sku: MUG-BLUE is listed twice: send one line per sku, with the quantities added up',
    ]);
  });

  it('is refused with a field it does not know', () => {
    expect(complaintsAbout({ ...request, total: 1 })).toEqual([expect.stringContaining('total')]);
  });

  it.each([
    '4111111111111111',
    '4111 1111 1111 1111',
    'tok_4111111111111111',
    'pm_x4111111111111',
    'sk_live_abc',
    'tok-approved',
  ])('is refused with %s as payment token, without repeating it', (paymentToken) => {
    const [complaint] = complaintsAbout({ ...request, paymentToken });
    expect(complaint).toMatch(/^paymentToken: expected a token/);
    expect(complaint).not.toContain(paymentToken);
  });

  it.each(['Main\u0000Street', 'Main\nStreet', 'Main \ud800 Street'])(
    'is refused with a street that cannot be stored',
    (street) => {
      const shippingAddress = { ...request.shippingAddress, street };
      expect(complaintsAbout({ ...request, shippingAddress })).toEqual([
        'shippingAddress.street: expected text without control characters',
      ]);
    },
  );

  it('takes names of any script', () => {
    const shippingAddress = { ...request.shippingAddress, name: 'Ångström 渡辺 🙂', city: 'Łódź' };
    expect(complaintsAbout({ ...request, shippingAddress })).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { customerMix, PER_MILLE, type Visit } from './customer-mix.ts';
import { seededRandom } from './random.ts';

const CUSTOMERS = 20_000;
const skus = Array.from({ length: 20 }, (_, index) => `PRODUCT-${String(index).padStart(2, '0')}`);

const visits = (seed: number, count = CUSTOMERS): Visit[] => {
  const next = customerMix({ skus, currency: 'EUR' }, seededRandom(seed));
  return Array.from({ length: count }, next);
};

describe('the customers of a load', () => {
  const all = visits(1);
  const perMille = (is: (visit: Visit) => boolean) => (all.filter(is).length / all.length) * 1000;

  it('are the same for the same seed and others for another', () => {
    expect(visits(7, 50)).toEqual(visits(7, 50));
    expect(visits(7, 50)).not.toEqual(visits(8, 50));
  });

  it.each<[string, number, (visit: Visit) => boolean]>([
    ['have a card that is declined', PER_MILLE.declinedCard, ({ order }) => order.paymentToken === 'tok_declined'],
    ['live where no carrier goes', PER_MILLE.noCarrier, ({ order }) => order.shippingAddress.postcode === '00000'],
    ['cancel', PER_MILLE.cancels, ({ cancelsAfterMs }) => cancelsAfterMs !== undefined],
    ['send their request twice', PER_MILLE.repeats, ({ repeats }) => repeats],
  ])('%s as often as it says', (_, expected, is) => {
    expect(Math.abs(perMille(is) - expected)).toBeLessThan(expected * 0.2);
  });

  it('mostly order what nothing is wrong with', () => {
    const isGood = ({ order, cancelsAfterMs }: Visit) =>
      order.paymentToken === 'tok_approved' &&
      order.shippingAddress.postcode !== '00000' &&
      cancelsAfterMs === undefined;
    expect(perMille(isGood)).toBeGreaterThan(800);
  });

  it('order one to four products, each on one line', () => {
    const counts = new Set(all.map(({ order }) => order.lines.length));
    expect([...counts].toSorted()).toEqual([1, 2, 3, 4]);
    for (const { order } of all) expect(new Set(order.lines.map(({ sku }) => sku)).size).toBe(order.lines.length);
  });

  it('like the first products best, and somebody likes each', () => {
    const sold = new Map<string, number>();
    for (const { order } of all) for (const { sku } of order.lines) sold.set(sku, (sold.get(sku) ?? 0) + 1);
    const timesOf = (sku: string) => sold.get(sku) ?? 0;
    expect(timesOf('PRODUCT-00')).toBeGreaterThan(1.5 * timesOf('PRODUCT-01'));
    expect(timesOf('PRODUCT-01')).toBeGreaterThan(3 * timesOf('PRODUCT-09'));
    expect(timesOf('PRODUCT-19')).toBeGreaterThan(0);
  });
});

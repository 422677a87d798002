import type { Money, Sku } from '@millrace/contracts';
import { localMessage } from '@millrace/messaging';
import { given } from '@millrace/messaging/testing';
import { expect, it } from '@jest/globals';
import { type CatalogMessage, decideCatalog } from './decide-catalog.ts';
import type { Product } from './product.ts';

const now = new Date('2026-01-01T00:00:00.000Z');
const sku = 'MUG-BLUE' as Sku;
const name = 'Mug, blue';
const eur = (amountMinor: number): Money => ({ amountMinor, currency: 'EUR' });

const list = (price: Money) => localMessage('ListProduct', sku, { sku, name, price }, { source: 'inventory', now });
const changePrice = (price: Money) => localMessage('ChangePrice', sku, { sku, price }, { source: 'inventory', now });
const story = () => given<Product | undefined, CatalogMessage>(decideCatalog, undefined).at(now);

it('lists a product', () => {
  const { state, said } = story().when(list(eur(1490)));
  expect(state).toEqual({ sku, name, price: eur(1490), version: 1, listedAt: now });
  expect(said).toEqual([{ type: 'ProductListed', body: { sku, name, price: eur(1490) } }]);
});

it('lists a product once', () => {
  const { state, said, refused } = story().when(list(eur(1490)), list(eur(1)));
  expect(refused).toBe('already-listed');
  expect(said).toHaveLength(1);
  expect(state?.price).toEqual(eur(1490));
});

it('says a new price with the one before and a higher version', () => {
  const product: Product = { sku, name, price: eur(1490), version: 4, listedAt: now };
  const { state, messages } = decideCatalog(product, changePrice(eur(1290)), { now, newId: () => '' as never });
  expect(state).toEqual({ ...product, price: eur(1290), version: 5 });
  expect(messages.map(({ contract, ...said }) => ({ type: contract.type, ...said }))).toEqual([
    { type: 'PriceChanged', body: { sku, name, price: eur(1290), previousPrice: eur(1490) }, aggregateVersion: 5 },
  ]);
});

it('says nothing when the price is what it was', () => {
  const { state, saidTypes } = story().when(list(eur(1490)), changePrice(eur(1490)));
  expect(saidTypes).toEqual(['ProductListed']);
  expect(state?.version).toBe(1);
});

it('refuses a price for a product that is not listed', () => {
  const { state, said, refused } = story().when(changePrice(eur(1290)));
  expect({ state, said, refused }).toEqual({ state: undefined, said: [], refused: 'unknown-product' });
});

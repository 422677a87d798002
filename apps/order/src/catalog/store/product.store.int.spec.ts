import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PriceChanged, ProductListed, type Sku } from '@millrace/contracts';
import { heard } from '@millrace/messaging/testing';
import { type OrderDatabase, orderDatabase } from '../../../test/order-database.ts';
import { type ProductNews, ProductStore } from './product.store.ts';

const eur = (amountMinor: number) => ({ amountMinor, currency: 'EUR' });
const kettle = 'KETTLE' as Sku;
const cup = 'CUP' as Sku;

function listed(sku: Sku, price: number, version = 1): ProductNews {
  return { ...heard(ProductListed, { sku, name: `The ${sku}`, price: eur(price) }), aggregateVersion: version };
}

function changed(sku: Sku, price: number, version: number): ProductNews {
  const body = { sku, name: `The ${sku}`, price: eur(price), previousPrice: eur(1) };
  return { ...heard(PriceChanged, body), aggregateVersion: version };
}

describe('the copy of the catalog', () => {
  const products = new ProductStore();
  let order: OrderDatabase;
  beforeAll(async () => {
    order = await orderDatabase();
  });
  afterAll(() => order.drop());
  beforeEach(() => order.database.query('TRUNCATE products'));

  const keep = (...news: ProductNews[]) => order.database.transaction((tx) => products.keep(tx, news));
  const priceOf = async (sku: Sku) => (await products.find(order.database, [sku])).get(sku)?.price.amountMinor;

  it('has what inventory listed, and nothing else', async () => {
    await keep(listed(kettle, 1_000), listed(cup, 500));
    const found = await products.find(order.database, [kettle, cup, 'SPOON' as Sku]);
    expect([...found.keys()].toSorted()).toEqual([cup, kettle]);
    expect(found.get(kettle)).toEqual({ sku: kettle, name: 'The KETTLE', price: eur(1_000) });
  });

  it('follows a changed price', async () => {
    await keep(listed(kettle, 1_000));
    await keep(changed(kettle, 1_200, 2));
    expect(await priceOf(kettle)).toBe(1_200);
  });

  it('knows a product from its changed price alone, because compaction drops older news', async () => {
    await keep(changed(kettle, 1_200, 7));
    expect(await priceOf(kettle)).toBe(1_200);
  });

  it('is not taken back by old news, nor by a replay', async () => {
    await keep(listed(kettle, 1_000), changed(kettle, 1_200, 2), changed(kettle, 1_300, 3));
    await keep(listed(kettle, 1_000), changed(kettle, 1_200, 2));
    expect(await priceOf(kettle)).toBe(1_300);
  });

  it('keeps the newest of several news in one batch, in whatever order they come', async () => {
    await keep(changed(kettle, 1_300, 3), changed(kettle, 1_200, 2), listed(kettle, 1_000));
    expect(await priceOf(kettle)).toBe(1_300);
  });

  it('takes a large catalog in one batch, also from several replicas at once', async () => {
    const news = Array.from({ length: 500 }, (_, index) => listed(`SKU-${index}` as Sku, index));
    await Promise.all([keep(...news), keep(...news.toReversed()), keep(...news)]);
    const { rows } = await order.database.query<{ products: number }>('SELECT count(*)::int AS products FROM products');
    expect(rows).toEqual([{ products: 500 }]);
  });

  it('stays as it is when there is no news', async () => {
    await keep();
    expect((await products.find(order.database, [])).size).toBe(0);
  });
});

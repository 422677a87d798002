import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Database } from '@millrace/database';
import { type InventoryApi, inventoryApi } from '../../../test/inventory-api.ts';
import { type InventoryDatabase, inventoryDatabase } from '../../../test/inventory-database.ts';

const eur = (amountMinor: number) => ({ amountMinor, currency: 'EUR' });
const mug = { sku: 'MUG-BLUE', name: 'Mug, blue', price: eur(1490), stock: 12 };

describe('the product API', () => {
  let inventory: InventoryDatabase;
  let database: Database;
  let api: InventoryApi;
  beforeAll(async () => {
    inventory = await inventoryDatabase();
    database = inventory.database;
    api = await inventoryApi(inventory.url);
  });
  afterAll(async () => {
    await api.close();
    await inventory.drop();
  });
  beforeEach(() => database.query('TRUNCATE product, stock, restock, messaging.outbox'));

  const said = async () => {
    const { rows } = await database.query<{ key: string; value: string; headers: string }>(
      'SELECT key, value, headers FROM messaging.outbox ORDER BY seq',
    );
    return rows.map(({ key, value, headers }) => {
      const { ce_type: type, 'aggregate-version': version } = JSON.parse(headers) as Record<string, string>;
      return { type, key, version, body: JSON.parse(value) as unknown };
    });
  };

  it('lists a product, puts its stock on the shelf and says so', async () => {
    const { status, body, headers } = await api.request('POST', '/products', mug);
    expect({ status, body, location: headers['location'] }).toMatchObject({
      status: 201,
      location: '/products/MUG-BLUE',
      body: { sku: 'MUG-BLUE', price: eur(1490), version: 1, stock: { onHand: 12, reserved: 0, available: 12 } },
    });
    expect((await api.request('GET', '/products/MUG-BLUE')).body).toEqual(body);
    expect(await said()).toEqual([
      {
        type: 'millrace.ProductListed.v1',
        key: 'MUG-BLUE',
        version: '1',
        body: { sku: 'MUG-BLUE', name: 'Mug, blue', price: eur(1490) },
      },
    ]);
  });

  it('lists a product once, also when it is asked twice at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => api.request('POST', '/products', mug)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
      type: expect.stringMatching(/already-listed$/),
      status: 409,
      detail: expect.stringContaining('/products/MUG-BLUE/price'),
    });
    expect(await said()).toHaveLength(1);
  });

  it('says everything that is wrong with a product and lists nothing', async () => {
    const wrong = { sku: 'mug', name: ' ', price: { amountMinor: 14.9, currency: 'EUR' }, stock: -1 };
    const { status, body } = await api.request('POST', '/products', wrong);
    expect(status).toBe(400);
    expect((body as { errors: { path: string }[] }).errors.map(({ path }) => path)).toEqual([
      'sku',
      'name',
      'price.amountMinor',
      'stock',
    ]);
    expect(await said()).toEqual([]);
  });

  it('changes a price and says the one before', async () => {
    await api.request('POST', '/products', mug);
    const { status, body } = await api.request('PUT', '/products/MUG-BLUE/price', eur(1290));
    expect({ status, body }).toMatchObject({ status: 200, body: { price: eur(1290), version: 2 } });
    expect((await said()).at(-1)).toEqual({
      type: 'millrace.PriceChanged.v1',
      key: 'MUG-BLUE',
      version: '2',
      body: { sku: 'MUG-BLUE', name: 'Mug, blue', price: eur(1290), previousPrice: eur(1490) },
    });
    expect((await api.request('GET', '/products/MUG-BLUE')).body).toMatchObject({ price: eur(1290), version: 2 });
  });

  it('says nothing when the price is what it was', async () => {
    await api.request('POST', '/products', mug);
    expect(await api.request('PUT', '/products/MUG-BLUE/price', eur(1490))).toMatchObject({
      status: 200,
      body: { version: 1 },
    });
    expect(await said()).toHaveLength(1);
  });

  it('numbers price changes without a gap when several people change at once', async () => {
    await api.request('POST', '/products', mug);
    await Promise.all(
      Array.from({ length: 5 }, (_, index) => api.request('PUT', '/products/MUG-BLUE/price', eur(1000 + index))),
    );
    expect((await said()).map(({ version }) => version)).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  it('has no price for a product that is not listed', async () => {
    expect(await api.request('PUT', '/products/NO-SUCH/price', eur(1))).toMatchObject({
      status: 404,
      body: { type: expect.stringMatching(/unknown-product$/) },
    });
    expect(await api.request('GET', '/products/NO-SUCH')).toMatchObject({ status: 404 });
  });

  it('gives all products page by page', async () => {
    for (const sku of ['C', 'A', 'E', 'B', 'D']) await api.request('POST', '/products', { ...mug, sku });
    const pages: string[][] = [];
    let path: string | undefined = '/products?limit=2';
    while (path !== undefined) {
      const { body, headers } = await api.request('GET', path);
      pages.push((body as { products: { sku: string }[] }).products.map(({ sku }) => sku));
      path = /^<([^>]+)>; rel="next"$/.exec(String(headers['link']))?.[1];
    }
    expect(pages).toEqual([['A', 'B'], ['C', 'D'], ['E']]);
  });

  it('refuses a cursor it did not make, and a page that is too large', async () => {
    expect(await api.request('GET', '/products?after=A')).toMatchObject({ status: 400 });
    expect(await api.request('GET', '/products?limit=1000')).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'limit' }] },
    });
  });

  it('describes every route', async () => {
    const { body } = await api.request('GET', '/openapi.json');
    expect(Object.keys((body as { paths: object }).paths).toSorted()).toEqual([
      '/products',
      '/products/{sku}',
      '/products/{sku}/price',
      '/products/{sku}/stock',
      '/reservations/{orderId}',
      '/stock/{sku}',
    ]);
  });
});

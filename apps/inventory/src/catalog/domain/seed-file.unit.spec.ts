import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseSeedFile, SeedFileError } from './seed-file.ts';

const mug = { sku: 'MUG-BLUE', name: 'Mug, blue', price: { amountMinor: 1490, currency: 'EUR' }, stock: 10 };
const problemOf = (content: unknown): string => {
  try {
    parseSeedFile(typeof content === 'string' ? content : JSON.stringify(content));
    return 'none';
  } catch (error) {
    if (error instanceof SeedFileError) return error.message;
    throw error;
  }
};

it('reads products', () => {
  expect(parseSeedFile(JSON.stringify([mug]))).toEqual([mug]);
});

it('names every product and field that is wrong', () => {
  const problem = problemOf([
    { ...mug, price: { amountMinor: 14.9, currency: 'euro' } },
    { ...mug, sku: 'TEA', stok: 1 },
    { name: 'Nameless' },
  ]);
  expect(problem).toMatch(/^MUG-BLUE: price\.amountMinor: .*int/m);
  expect(problem).toMatch(/^MUG-BLUE: price\.currency: expected an ISO 4217 code such as EUR$/m);
  expect(problem).toMatch(/^TEA: .*"stok"/m);
  expect(problem).toMatch(/^product 3: sku: /m);
});

it('refuses a product that is listed twice', () => {
  expect(problemOf([mug, { ...mug, name: 'Another' }])).toBe('MUG-BLUE: sku: is listed twice');
});

it('refuses what is no list of products', () => {
  expect(problemOf('[{')).toMatch(/JSON/);
  expect(problemOf({ products: [mug] })).toMatch(/expected array/);
  expect(problemOf([])).not.toBe('none');
});

describe('the catalog that comes with the shop', () => {
  const products = parseSeedFile(readFileSync(new URL('../../../seed/catalog.json', import.meta.url), 'utf8'));
  const stockOf = (sku: string): number | undefined => products.find((product) => product.sku === sku)?.stock;

  it('has at least fifty products, all in euros', () => {
    expect(products.length).toBeGreaterThanOrEqual(50);
    expect(new Set(products.map(({ price }) => price.currency))).toEqual(new Set(['EUR']));
  });

  it('has what the demo and the load tests sell', () => {
    expect(stockOf('LAST-FIVE')).toBe(5);
    expect(stockOf('SOLD-OUT')).toBe(0);
    expect(products.filter(({ stock }) => stock >= 100_000).length).toBeGreaterThanOrEqual(5);
  });
});

import { Money, Sku } from '@millrace/contracts';
import { z } from 'zod';
import type { Product } from '../domain/product.ts';

/** A product as people see it. */
export const ProductView = z.object({
  sku: Sku,
  name: z.string(),
  price: Money,
  version: z.int().positive().describe('1 when it was listed, one more with each new price'),
  listedAt: z.iso.datetime(),
});
export type ProductView = z.infer<typeof ProductView>;

/** A product with its stock. */
export const StockedProductView = z.object({
  ...ProductView.shape,
  stock: z.object({ onHand: z.int(), reserved: z.int(), available: z.int() }),
});
export type StockedProductView = z.infer<typeof StockedProductView>;

export const ProductPage = z.object({
  products: z.array(StockedProductView),
  next: z.string().optional().describe('`after` of the next page; absent on the last. The Link header says the same.'),
});
export type ProductPage = z.infer<typeof ProductPage>;

export function productViewOf({ sku, name, price, version, listedAt }: Product): ProductView {
  return { sku, name, price, version, listedAt: listedAt.toISOString() };
}

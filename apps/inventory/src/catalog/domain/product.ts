import { Money, Sku } from '@millrace/contracts';
import { z } from 'zod';
import { MAX_ON_HAND } from '../../stock/domain/stock-item.ts';

/** A product of the catalog. `version` is 1 when it is listed and one more with each new price. */
export interface Product {
  readonly sku: Sku;
  readonly name: string;
  readonly price: Money;
  readonly version: number;
  readonly listedAt: Date;
}

/** A product to be listed, with the stock it begins with. */
export const NewProduct = z.object({
  sku: Sku,
  name: z.string().trim().min(1).max(200),
  price: Money,
  stock: z.int().nonnegative().max(MAX_ON_HAND),
});
export type NewProduct = z.infer<typeof NewProduct>;

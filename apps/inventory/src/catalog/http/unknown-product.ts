import type { Sku } from '@millrace/contracts';
import { Problem } from '@millrace/service';

/** 404: the catalog has no such product. */
export function unknownProduct(sku: Sku): Problem {
  return new Problem({
    status: 404,
    type: 'unknown-product',
    title: 'Unknown product',
    detail: `There is no product ${sku}. GET /products lists what there is; POST /products adds one.`,
  });
}

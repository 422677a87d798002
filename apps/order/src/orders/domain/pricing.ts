import { type Money, type PricedLines, type Sku, sumOf, times } from '@millrace/contracts';
import type { PlaceOrder } from './place-order.ts';

/** What the catalog says about a product. */
export interface PricedProduct {
  readonly sku: Sku;
  readonly name: string;
  readonly price: Money;
}

/** A line that cannot be sold, and why. */
export interface Unsellable {
  /** Where the line stands in the request, from 0. */
  readonly line: number;
  readonly sku: Sku;
  readonly because: 'unknown-sku' | 'not-sold-in-currency';
}

/** The order at the prices of this moment, or what stands in its way. */
export type Pricing =
  | { readonly kind: 'priced'; readonly lines: PricedLines; readonly total: Money }
  | { readonly kind: 'not-for-sale'; readonly unsellable: readonly Unsellable[] }
  | { readonly kind: 'too-large' };

export function priced(request: PlaceOrder, products: ReadonlyMap<Sku, PricedProduct>): Pricing {
  const { currency } = request;
  const lines: PricedLines = [];
  const unsellable: Unsellable[] = [];
  for (const [line, { sku, quantity }] of request.lines.entries()) {
    const product = products.get(sku);
    if (product === undefined) unsellable.push({ line, sku, because: 'unknown-sku' });
    else if (product.price.currency !== currency) unsellable.push({ line, sku, because: 'not-sold-in-currency' });
    else lines.push({ sku, name: product.name, quantity, unitPrice: product.price });
  }
  if (unsellable.length > 0) return { kind: 'not-for-sale', unsellable };
  const total = totalOf(currency, lines);
  return total === undefined ? { kind: 'too-large' } : { kind: 'priced', lines, total };
}

/** Nothing when the sum could not be told exactly. */
function totalOf(currency: string, lines: PricedLines): Money | undefined {
  try {
    return sumOf(
      currency,
      lines.map(({ unitPrice, quantity }) => times(unitPrice, quantity)),
    );
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

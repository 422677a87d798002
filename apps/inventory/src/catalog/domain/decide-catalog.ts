import { type Money, PriceChanged, ProductListed, type Sku } from '@millrace/contracts';
import { type Decision, type DecisionContext, type LocalMessage, unchanged } from '@millrace/messaging/decisions';
import type { Product } from './product.ts';

/** Somebody wants a product to be sold. */
export type ListProduct = LocalMessage<
  'ListProduct',
  { readonly sku: Sku; readonly name: string; readonly price: Money }
>;

/** Somebody wants a product to have another price. */
export type ChangePrice = LocalMessage<'ChangePrice', { readonly sku: Sku; readonly price: Money }>;

export type CatalogMessage = ListProduct | ChangePrice;

/** Why a wish about the catalog is refused. */
export type CatalogRefusal = 'already-listed' | 'unknown-product';

/** The catalog's rules: a sku is listed once; a price that is what it was is no news. */
export function decideCatalog(
  product: Product | undefined,
  message: CatalogMessage,
  { now }: DecisionContext,
): Decision<Product | undefined> {
  switch (message.type) {
    case 'ListProduct':
      return product === undefined ? list(message.body, now) : refuse(product, 'already-listed');
    case 'ChangePrice':
      return product === undefined ? refuse(product, 'unknown-product') : changePrice(product, message.body.price);
  }
}

function list({ sku, name, price }: ListProduct['body'], now: Date): Decision<Product> {
  const product: Product = { sku, name, price, version: 1, listedAt: now };
  return { state: product, messages: [ProductListed({ sku, name, price }, { aggregateVersion: product.version })] };
}

function changePrice(product: Product, price: Money): Decision<Product> {
  const { sku, name, price: previousPrice } = product;
  if (price.amountMinor === previousPrice.amountMinor && price.currency === previousPrice.currency) {
    return unchanged(product);
  }
  const changed: Product = { ...product, price, version: product.version + 1 };
  return {
    state: changed,
    messages: [PriceChanged({ sku, name, price, previousPrice }, { aggregateVersion: changed.version })],
  };
}

function refuse(state: Product | undefined, refused: CatalogRefusal): Decision<Product | undefined> {
  return { state, messages: [], refused };
}

import type { Money, Sku } from '@millrace/contracts';
import { type Decider, type LocalTransaction, localMessage, LocalTransactions } from '@millrace/messaging';
import { Injectable } from '@nestjs/common';
import { StockLevels } from '../stock/store/stock-levels.ts';
import { type CatalogMessage, decideCatalog } from './domain/decide-catalog.ts';
import type { NewProduct, Product } from './domain/product.ts';
import { catalogStore } from './store/catalog.store.ts';

const decider: Decider<Product | undefined, CatalogMessage> = { store: catalogStore, decide: decideCatalog };

/** What people may do to the catalog. Each call is one transaction, with the events it says and the stock it opens. */
@Injectable()
export class Catalog {
  readonly #local: LocalTransactions;
  readonly #levels: StockLevels;

  constructor(local: LocalTransactions, levels: StockLevels) {
    this.#local = local;
    this.#levels = levels;
  }

  /**
   * Lists those products that are not listed yet and puts their stock on the shelf: all of them or, on an error, none.
   * Answers what it listed; a product that was there stays as it is.
   */
  list(products: readonly NewProduct[]): Promise<readonly Product[]> {
    return this.#local.run(async (local) => {
      const decisions = await local.decide(
        decider,
        products.map(({ sku, name, price }) => messageOf(local, 'ListProduct', { sku, name, price })),
      );
      const isNew = decisions.map(({ refused }) => refused === undefined);
      await this.#levels.open(
        local.tx,
        products.filter((_, index) => isNew[index]).map(({ sku, stock }) => ({ sku, onHand: stock })),
      );
      return decisions.flatMap(({ state }, index) => (isNew[index] && state !== undefined ? [state] : []));
    });
  }

  /** Answers the product as it is now; `undefined` when there is none. The price it has already is no change. */
  changePrice(sku: Sku, price: Money): Promise<Product | undefined> {
    return this.#local.run(async (local) => {
      const [decision] = await local.decide(decider, [messageOf(local, 'ChangePrice', { sku, price })]);
      return decision?.state;
    });
  }
}

function messageOf<const Type extends CatalogMessage['type'], Body extends { readonly sku: Sku }>(
  { now }: LocalTransaction,
  type: Type,
  body: Body,
) {
  return localMessage(type, body.sku, body, { source: 'inventory', now });
}

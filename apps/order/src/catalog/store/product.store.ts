import type { MessageOf, Money, PriceChanged, ProductListed, Sku } from '@millrace/contracts';
import { type Queryable, statement, type Transaction } from '@millrace/database';
import { Injectable } from '@nestjs/common';

/** A product as inventory told it last. */
export interface Product {
  readonly sku: Sku;
  readonly name: string;
  readonly price: Money;
}

const selectProducts = statement(
  'catalog.find-products',
  `SELECT sku, name, price_minor, currency FROM products WHERE sku = ANY($1::text[])`,
);

// Compaction and replays show old news of a product after new: only a later version changes the copy.
const upsertProducts = statement(
  'catalog.keep-products',
  `INSERT INTO products (sku, name, price_minor, currency, version)
   SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::int[])
   ON CONFLICT (sku) DO UPDATE
     SET name = excluded.name, price_minor = excluded.price_minor, currency = excluded.currency, version = excluded.version
     WHERE products.version < excluded.version`,
);

/** The order service's copy of the catalog. */
@Injectable()
export class ProductStore {
  /** One query for all; a sku that is not in the catalog is not in the answer. */
  async find(db: Queryable, skus: readonly Sku[]): Promise<ReadonlyMap<Sku, Product>> {
    const { rows } = await db.query<ProductRow>(selectProducts(skus));
    return new Map(
      rows.map(({ sku, name, price_minor, currency }) => [
        sku,
        { sku, name, price: { amountMinor: Number(price_minor), currency } },
      ]),
    );
  }

  /** Keeps the newest news of each product, whatever order they come in. */
  async keep(tx: Transaction, news: readonly ProductNews[]): Promise<void> {
    const newest = new Map<Sku, ProductNews>();
    for (const one of news) {
      const known = newest.get(one.body.sku);
      if (known === undefined || versionOf(known) < versionOf(one)) newest.set(one.body.sku, one);
    }
    // Sorted, so that two batches never wait for each other's rows in a circle.
    const products = [...newest.values()].sort((a, b) => (a.body.sku < b.body.sku ? -1 : 1));
    if (products.length === 0) return;
    await tx.query(
      upsertProducts(
        products.map(({ body }) => body.sku),
        products.map(({ body }) => body.name),
        products.map(({ body }) => body.price.amountMinor),
        products.map(({ body }) => body.price.currency),
        products.map(versionOf),
      ),
    );
  }
}

/** What is told about a product; each message carries all that the copy holds. */
export type ProductNews = MessageOf<typeof ProductListed | typeof PriceChanged>;

interface ProductRow {
  readonly sku: Sku;
  readonly name: string;
  readonly price_minor: string;
  readonly currency: string;
}

/** Inventory versions all its news; without a version it would count as the oldest. */
function versionOf({ aggregateVersion = 0 }: ProductNews): number {
  return aggregateVersion;
}

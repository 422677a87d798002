import type { Currency, Sku } from '@millrace/contracts';
import { type Queryable, statement, type Transaction } from '@millrace/database';
import { type Change, keyedStore } from '@millrace/messaging';
import type { CatalogMessage } from '../domain/decide-catalog.ts';
import type { Product } from '../domain/product.ts';

interface ProductRow {
  readonly sku: Sku;
  readonly name: string;
  readonly price_minor: string;
  readonly currency: Currency;
  readonly version: number;
  readonly listed_at: Date;
}

const LOAD = statement(
  'load-products',
  'SELECT sku, name, price_minor, currency, version, listed_at FROM product WHERE sku = ANY($1::text[])',
);

// A product that is not listed yet has no row to lock. The catalog changes seldom and by hand, so its writers take turns;
// readers and orders do not wait.
const LOCK = 'LOCK TABLE product IN SHARE ROW EXCLUSIVE MODE';

const SAVE = statement(
  'save-products',
  `INSERT INTO product (sku, name, price_minor, currency, version, listed_at)
   SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::int[], $6::timestamptz[])
   ON CONFLICT (sku) DO UPDATE
   SET price_minor = EXCLUDED.price_minor, currency = EXCLUDED.currency, version = EXCLUDED.version`,
);

/** Remembers products. A locked load excludes every other writer of the catalog until the transaction ends. */
export const catalogStore = keyedStore<Product, CatalogMessage>({ load, save });

async function load(db: Queryable, skus: readonly string[], lock: boolean): Promise<ReadonlyMap<string, Product>> {
  if (lock) await db.query(LOCK);
  const { rows } = await db.query<ProductRow>(LOAD(skus));
  return new Map(rows.map((row) => [row.sku, productOf(row)]));
}

async function save(tx: Transaction, changes: readonly Change<Product>[]): Promise<void> {
  const products = changes.map(({ after }) => after);
  await tx.query(
    SAVE(
      products.map(({ sku }) => sku),
      products.map(({ name }) => name),
      products.map(({ price }) => price.amountMinor),
      products.map(({ price }) => price.currency),
      products.map(({ version }) => version),
      products.map(({ listedAt }) => listedAt.toISOString()),
    ),
  );
}

function productOf({ sku, name, price_minor, currency, version, listed_at: listedAt }: ProductRow): Product {
  return { sku, name, price: { amountMinor: Number(price_minor), currency }, version, listedAt };
}

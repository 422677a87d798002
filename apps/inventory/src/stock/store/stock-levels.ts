import { Injectable } from '@nestjs/common';
import type { Sku } from '@millrace/contracts';
import { Database, statement, type Transaction } from '@millrace/database';
import { MAX_ON_HAND, type StockItem } from '../domain/stock-item.ts';
import type { StockRow } from './stock.sql.ts';

// The first stock is an arrival like any other: what arrived minus what left is on the shelf, and an auditor can tell.
// Its key has blanks, which no Idempotency-Key of a caller may have.
const OPEN = statement(
  'open-stock',
  `WITH opened AS (
     INSERT INTO stock (sku, on_hand) SELECT * FROM unnest($1::text[], $2::int[]) RETURNING sku, on_hand
   )
   INSERT INTO restock (idempotency_key, sku, added, at)
   SELECT 'opening stock of ' || sku, sku, on_hand, now() FROM opened WHERE on_hand > 0`,
);

const REMEMBER_RESTOCK = statement(
  'remember-restock',
  'INSERT INTO restock (idempotency_key, sku, added, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
);

const RESTOCK_OF_KEY = statement('restock-of-key', 'SELECT sku, added FROM restock WHERE idempotency_key = $1');

const ADD = statement(
  'add-stock',
  'UPDATE stock SET on_hand = on_hand + $2::int WHERE sku = $1 AND on_hand <= $3::int - $2::int RETURNING sku, on_hand, reserved',
);

const LEVEL = statement('stock-level', 'SELECT sku, on_hand, reserved FROM stock WHERE sku = $1');

/** Goods that arrived. Under one key they arrive once. */
export interface Arrival {
  readonly sku: Sku;
  readonly add: number;
  readonly idempotencyKey: string;
}

/** What became of an arrival: `item` is the stock as it is now. */
export type Restocked =
  | { readonly kind: 'restocked' | 'repeated'; readonly item: StockItem }
  | { readonly kind: 'unknown-product' | 'key-reused' | 'too-much' };

/** Changes stock by hand: everything but what orders do to it. */
@Injectable()
export class StockLevels {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Puts the first stock of new products on the shelf, in the transaction that lists them. */
  async open(tx: Transaction, levels: readonly { readonly sku: Sku; readonly onHand: number }[]): Promise<void> {
    if (levels.length === 0) return;
    await tx.query(
      OPEN(
        levels.map(({ sku }) => sku),
        levels.map(({ onHand }) => onHand),
      ),
    );
  }

  /**
   * Adds what arrived. The same arrival again changes nothing; another one under the same key is refused, and so is more than
   * `MAX_ON_HAND`. A refused arrival leaves nothing behind.
   */
  async restock({ sku, add, idempotencyKey }: Arrival): Promise<Restocked> {
    try {
      return await this.#database.transaction(async (tx) => {
        const { rowCount } = await tx.query(REMEMBER_RESTOCK(idempotencyKey, sku, add, new Date().toISOString()));
        if (rowCount === 0) return repeated(tx, { sku, add, idempotencyKey });
        const added = await tx.query<StockRow>(ADD(sku, add, MAX_ON_HAND));
        const [row] = added.rows;
        if (row !== undefined) return { kind: 'restocked', item: itemOf(row) };
        throw new Refused((await levelOf(tx, sku)) === undefined ? 'unknown-product' : 'too-much');
      });
    } catch (error) {
      if (error instanceof Refused) return { kind: error.kind };
      throw error;
    }
  }
}

async function repeated(tx: Transaction, { sku, add, idempotencyKey }: Arrival): Promise<Restocked> {
  const { rows } = await tx.query<{ sku: string; added: number }>(RESTOCK_OF_KEY(idempotencyKey));
  const item = await levelOf(tx, sku);
  const isSame = rows[0]?.sku === sku && rows[0].added === add;
  return isSame && item !== undefined ? { kind: 'repeated', item } : { kind: 'key-reused' };
}

async function levelOf(tx: Transaction, sku: Sku): Promise<StockItem | undefined> {
  const { rows } = await tx.query<StockRow>(LEVEL(sku));
  return rows[0] === undefined ? undefined : itemOf(rows[0]);
}

function itemOf({ sku, on_hand: onHand, reserved }: StockRow): StockItem {
  return { sku, onHand, reserved };
}

/** Undoes the transaction, so that a refused arrival's key may be used again. */
class Refused extends Error {
  override readonly name = 'Refused';
  readonly kind: 'unknown-product' | 'too-much';

  constructor(kind: 'unknown-product' | 'too-much') {
    super(kind);
    this.kind = kind;
  }
}

import { rowsOf, STATEMENT_GIVEN_UP } from '../books/rows.ts';
import type { ShopRecords } from '../running-shop.ts';
import type { Finding } from './findings.ts';

export const STOCK_ADDS_UP = {
  slug: 'stock-adds-up',
  name: 'what arrived is on the shelf or left with an order, and what is reserved is held for an order',
} as const;

/** A product as the warehouse's own books tell of it, all of one moment. */
export interface ShelfCount {
  readonly sku: string;
  readonly onHand: number;
  readonly reserved: number;
  readonly arrived: bigint;
  /** Left with orders. */
  readonly committed: bigint;
  /** Set aside for orders that are under way. */
  readonly held: bigint;
}

// One statement sees one snapshot: orders that come and go meanwhile do not matter.
const COUNT = `
  WITH line AS (
    SELECT one.sku, status, sum(one.quantity) AS quantity
    FROM reservation, jsonb_to_recordset(lines) AS one (sku text, quantity int)
    WHERE status IN ('held', 'committed')
    GROUP BY one.sku, status
  ), arrival AS (
    SELECT sku, sum(added) AS added FROM restock GROUP BY sku
  )
  SELECT coalesce(stock.sku, line.sku) AS sku, coalesce(on_hand, 0) AS "onHand", coalesce(reserved, 0) AS reserved,
    coalesce(max(added), 0)::bigint AS arrived,
    coalesce(sum(quantity) FILTER (WHERE status = 'committed'), 0)::bigint AS committed,
    coalesce(sum(quantity) FILTER (WHERE status = 'held'), 0)::bigint AS held
  FROM stock LEFT JOIN arrival USING (sku) FULL JOIN line ON line.sku = stock.sku
  GROUP BY stock.sku, line.sku, on_hand, reserved`;

// Nobody else may have to wait for the warehouse because somebody counts.
const COUNTED_WITHIN_MS = 5_000;

// Counting every shelf reads all reservations: it may take a twentieth of the time, however many there are.
const REST_TIMES_DURATION = 20;

/** Counts every shelf, from time to time. */
export class StockTaking {
  readonly #count: () => Promise<readonly Finding[]>;
  readonly #clock: () => number;
  #dueAt = 0;
  #isGivenUp = false;

  constructor(count: () => Promise<readonly Finding[]>, clock: () => number = () => performance.now()) {
    this.#count = count;
    this.#clock = clock;
  }

  /** Undefined when it was not counted: it is too early, which does not matter when it must be `now`, or it takes too long. */
  async count({ now = false }: { readonly now?: boolean } = {}): Promise<readonly Finding[] | undefined> {
    const startedAt = this.#clock();
    if (!now && startedAt < this.#dueAt) return undefined;
    try {
      const found = await this.#count();
      this.#isGivenUp = false;
      return found;
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== STATEMENT_GIVEN_UP) throw error;
      this.#isGivenUp = true;
      return undefined;
    } finally {
      const endedAt = this.#clock();
      this.#dueAt = endedAt + (endedAt - startedAt) * REST_TIMES_DURATION;
    }
  }

  /** The last count took too long: how the stock stands is not known. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }
}

/** Counts every shelf. Reads all reservations there are; rejects with STATEMENT_GIVEN_UP when that takes too long. */
export async function stockFindings(shop: Pick<ShopRecords, 'databases'>): Promise<readonly Finding[]> {
  return (await rowsOf<ShelfCount>(shop, 'inventory', COUNT, [], COUNTED_WITHIN_MS)).flatMap(judgeShelf);
}

/**
 * What is wrong with a shelf. The counts move with every order, so a finding is known again by its shelf: also one that gets
 * worse with every order is the same.
 */
export function judgeShelf({ sku, onHand, reserved, arrived, committed, held }: ShelfCount): readonly Finding[] {
  const { slug } = STOCK_ADDS_UP;
  const shelf = `${sku}: ${onHand} on the shelf and ${committed} left with orders, of ${arrived} that arrived`;
  return [
    ...(BigInt(onHand) + committed === arrived ? [] : [{ slug, key: `${sku} on the shelf`, sentence: shelf }]),
    ...(BigInt(reserved) === held
      ? []
      : [{ slug, key: `${sku} reserved`, sentence: `${sku}: ${reserved} reserved, and ${held} held for orders` }]),
  ];
}

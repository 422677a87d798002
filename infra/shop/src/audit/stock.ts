import { rowsOf } from '../books/rows.ts';
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

/** Counts every shelf. Reads all reservations there are. */
export async function stockFindings(shop: Pick<ShopRecords, 'databases'>): Promise<readonly Finding[]> {
  return (await rowsOf<ShelfCount>(shop, 'inventory', COUNT)).flatMap(judgeShelf);
}

export function judgeShelf({ sku, onHand, reserved, arrived, committed, held }: ShelfCount): readonly Finding[] {
  const { slug } = STOCK_ADDS_UP;
  const sentences = [
    ...(BigInt(onHand) + committed === arrived
      ? []
      : [`${sku}: ${onHand} on the shelf and ${committed} left with orders, of ${arrived} that arrived`]),
    ...(BigInt(reserved) === held ? [] : [`${sku}: ${reserved} reserved, and ${held} held for orders`]),
  ];
  return sentences.map((sentence) => ({ slug, sentence }));
}

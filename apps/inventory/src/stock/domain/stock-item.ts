import type { Quantities, Sku } from '@millrace/contracts';

/** More of one product than any warehouse holds, and far below what PostgreSQL's integer can count. */
export const MAX_ON_HAND = 1_000_000_000;

/** How many of one product lie on the shelf, and how many of those are held for orders: `0 <= reserved <= onHand`. */
export interface StockItem {
  readonly sku: Sku;
  readonly onHand: number;
  readonly reserved: number;
}

/** The stock of some products; a product that is not there has none. */
export type StockItems = ReadonlyMap<Sku, StockItem>;

/** How many of each product are wanted. */
export type Amounts = ReadonlyMap<Sku, number>;

/** A product of which more is wanted than is free. */
export interface Shortage {
  readonly sku: Sku;
  readonly requested: number;
  readonly available: number;
}

/** What is on the shelf and held for nobody. */
export function availableOf(item: StockItem | undefined): number {
  return item === undefined ? 0 : item.onHand - item.reserved;
}

/** The lines of an order by product: an order may name a product twice, and both lines count. */
export function amountsOf(lines: Quantities): Amounts {
  const amounts = new Map<Sku, number>();
  for (const { sku, quantity } of lines) amounts.set(sku, (amounts.get(sku) ?? 0) + quantity);
  return amounts;
}

/** The products of which `amounts` asks for more than is free; empty when all can be had. */
export function shortagesOf(items: StockItems, amounts: Amounts): readonly Shortage[] {
  return [...amounts]
    .map(([sku, requested]) => ({ sku, requested, available: availableOf(items.get(sku)) }))
    .filter(({ requested, available }) => requested > available);
}

/** Keeps free stock for an order. */
export function held(items: StockItems, amounts: Amounts): StockItems {
  return moved(items, amounts, (item, amount) => ({ ...item, reserved: item.reserved + amount }));
}

/** Gives held stock back. */
export function givenBack(items: StockItems, amounts: Amounts): StockItems {
  return moved(items, amounts, (item, amount) => ({ ...item, reserved: item.reserved - amount }));
}

/** Takes held stock off the shelf. */
export function takenFromHeld(items: StockItems, amounts: Amounts): StockItems {
  return takenFromFree(givenBack(items, amounts), amounts);
}

/** Takes free stock off the shelf. */
export function takenFromFree(items: StockItems, amounts: Amounts): StockItems {
  return moved(items, amounts, (item, amount) => ({ ...item, onHand: item.onHand - amount }));
}

function moved(items: StockItems, amounts: Amounts, move: (item: StockItem, amount: number) => StockItem): StockItems {
  const next = new Map(items);
  for (const [sku, amount] of amounts) {
    const item = items.get(sku);
    if (item === undefined) throw new Error(`there is no stock of ${sku} to move`);
    const after = move(item, amount);
    // Whoever calls asked for shortages first, or moves what was held: anything else is a bug that must not reach the table.
    if (after.reserved < 0 || after.reserved > after.onHand) {
      throw new Error(`${amount} of ${sku} would leave ${after.onHand} on hand with ${after.reserved} held`);
    }
    next.set(sku, after);
  }
  return next;
}

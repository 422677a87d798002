import { describe, expect, it } from '@jest/globals';
import { judgeShelf, type ShelfCount } from './stock.ts';

const shelf: ShelfCount = { sku: 'MUG-BLUE', onHand: 8, reserved: 3, arrived: 10n, committed: 2n, held: 3n };

describe('a shelf', () => {
  it('adds up while orders come and go', () => {
    expect(judgeShelf(shelf)).toEqual([]);
  });

  it.each<[string, Partial<ShelfCount>, string]>([
    ['has too little', { onHand: 7 }, 'MUG-BLUE: 7 on the shelf and 2 left with orders, of 10 that arrived'],
    ['has too much', { onHand: 9 }, 'MUG-BLUE: 9 on the shelf and 2 left with orders, of 10 that arrived'],
    ['is reserved for nobody', { reserved: 4 }, 'MUG-BLUE: 4 reserved, and 3 held for orders'],
    ['is held and not reserved', { held: 4n }, 'MUG-BLUE: 3 reserved, and 4 held for orders'],
  ])('is told of when it %s', (_, changes, sentence) => {
    expect(judgeShelf({ ...shelf, ...changes })).toEqual([{ slug: 'stock-adds-up', sentence }]);
  });
});

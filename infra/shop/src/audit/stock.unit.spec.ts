import { describe, expect, it } from '@jest/globals';
import { STATEMENT_GIVEN_UP } from '../books/rows.ts';
import { Findings } from './findings.ts';
import { judgeShelf, type ShelfCount, StockTaking } from './stock.ts';

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
    expect(judgeShelf({ ...shelf, ...changes })).toMatchObject([{ slug: 'stock-adds-up', sentence }]);
  });

  it.each<[string, Partial<ShelfCount>]>([
    ['', { onHand: 5, committed: 4n }],
    [', and something else gets lost with every order', { onHand: 4, committed: 4n }],
  ])('from which something is lost is reported at the second look, also when it sells meanwhile%s', (_, sold) => {
    const findings = new Findings();
    findings.update(judgeShelf({ ...shelf, onHand: 7 }));
    expect(findings.update(judgeShelf({ ...shelf, ...sold })).confirmed).toHaveLength(1);
  });

  it('that is right on one count and wrong on the other is two things', () => {
    const findings = new Findings();
    findings.update(judgeShelf({ ...shelf, onHand: 7 }));
    expect(findings.update(judgeShelf({ ...shelf, reserved: 4 })).confirmed).toEqual([]);
  });
});

describe('counting the stock', () => {
  let now = 0;
  let counts = 0;
  const lost = judgeShelf({ ...shelf, onHand: 7 });
  const givenUp = Object.assign(new Error('canceling statement'), { code: STATEMENT_GIVEN_UP });
  const takes = (ms: number, error?: Error) => async () => {
    now += ms;
    counts += 1;
    if (error !== undefined) throw error;
    return lost;
  };
  const clock = () => now;

  it('takes a twentieth of the time at most', async () => {
    [now, counts] = [0, 0];
    const stock = new StockTaking(takes(100), clock);
    expect(await stock.count()).toBe(lost);
    now += 1_999;
    expect(await stock.count()).toBeUndefined();
    now += 1;
    expect(await stock.count()).toBe(lost);
    expect(counts).toBe(2);
  });

  it('happens at once for whoever must know', async () => {
    const stock = new StockTaking(takes(100), clock);
    await stock.count();
    expect(await stock.count({ now: true })).toBe(lost);
  });

  it('is given up, and not tried again at once, when it takes too long', async () => {
    [now, counts] = [0, 0];
    let error: Error | undefined = givenUp;
    const stock = new StockTaking(() => takes(5_000, error)(), clock);
    expect(await stock.count()).toBeUndefined();
    expect(stock.isGivenUp).toBe(true);
    expect(await stock.count()).toBeUndefined();
    expect(counts).toBe(1);
    error = undefined;
    now += 100_000;
    expect(await stock.count()).toBe(lost);
    expect(stock.isGivenUp).toBe(false);
  });

  it('fails where the warehouse does not answer, and is not tried again at once either', async () => {
    [now, counts] = [0, 0];
    const stock = new StockTaking(takes(5_000, new Error('connection refused')), clock);
    await expect(stock.count()).rejects.toThrow('connection refused');
    expect(stock.isGivenUp).toBe(false);
    expect(await stock.count()).toBeUndefined();
    expect(counts).toBe(1);
  });
});

import { describe, expect, it } from '@jest/globals';
import { firstIdOf, WatchList } from './watch-list.ts';

const MINUTE_MS = 60_000;
const noon = new Date('2026-11-22T12:00:00Z');
const after = (ms: number) => new Date(noon.getTime() + ms);
const watchList = () => new WatchList({ windowMs: 15 * MINUTE_MS });

describe('the watch list of an auditor', () => {
  it('begins a window before its start and goes on where it looked last, and a bit before', () => {
    const list = watchList();
    expect(list.lookFrom(noon)).toBe(firstIdOf(after(-15 * MINUTE_MS)));
    list.add([], noon);
    expect(list.lookFrom(after(MINUTE_MS))).toBe(firstIdOf(after(-30_000)));
  });

  it('does not look back further than a window when it could not look for long', () => {
    const list = watchList();
    list.add([], noon);
    expect(list.lookFrom(after(60 * MINUTE_MS))).toBe(firstIdOf(after(45 * MINUTE_MS)));
  });

  it('goes on after the last order that a look could take up, however old it is', () => {
    const list = watchList();
    const last = firstIdOf(after(-10 * MINUTE_MS));
    list.add([firstIdOf(after(-12 * MINUTE_MS)), last], noon, false);
    expect(list.isBehind).toBe(true);
    expect(list.lookFrom(after(MINUTE_MS))).toBe(last);
    expect(list.lookFrom(after(60 * MINUTE_MS))).toBe(last);
    list.add([firstIdOf(noon)], after(MINUTE_MS));
    expect(list.isBehind).toBe(false);
    expect(list.lookFrom(after(MINUTE_MS))).toBe(firstIdOf(after(MINUTE_MS - 30_000)));
  });

  it('still looks for late orders when the last one that it took up was just placed', () => {
    const list = watchList();
    list.add([firstIdOf(after(-1_000))], noon, false);
    expect(list.lookFrom(noon)).toBe(firstIdOf(after(-30_000)));
  });

  it('forgets the oldest orders of too many that nobody judges, and knows how many', () => {
    const list = new WatchList({ windowMs: 15 * MINUTE_MS, maxUnjudged: 3 });
    list.add(['a', 'b'], noon);
    list.add(['c', 'd', 'e'], noon);
    expect(list.unjudged).toEqual(['c', 'd', 'e']);
    list.add(['e', 'f'], noon);
    expect(list.unjudged).toEqual(['d', 'e', 'f']);
    expect(list.dropped).toBe(3);
  });

  it('keeps an order until it is judged, however often it is seen', () => {
    const list = watchList();
    list.add(['a', 'b'], noon);
    list.add(['b', 'c'], noon);
    expect(list.unjudged).toEqual(['a', 'b', 'c']);
    list.judged(['b'], noon);
    list.add(['b'], noon);
    list.forget(['c']);
    expect(list.unjudged).toEqual(['a']);
  });

  it('has an order judged a second time a window later, and then no more', () => {
    const list = watchList();
    list.add(['a', 'b'], noon);
    list.judged(['a'], noon);
    list.judged(['b'], after(MINUTE_MS));
    expect(list.dueAgain(after(14 * MINUTE_MS))).toEqual([]);
    expect(list.dueAgain(after(15 * MINUTE_MS))).toEqual(['a']);
    list.judged(['a'], after(15 * MINUTE_MS));
    expect(list.dueAgain(after(16 * MINUTE_MS))).toEqual(['b']);
    list.judged(['b'], after(16 * MINUTE_MS));
    expect(list.dueAgain(after(99 * MINUTE_MS))).toEqual([]);
  });

  it('finds all ids of a moment by the first', () => {
    const first = firstIdOf(noon);
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7000-8000-000000000000$/);
    expect(Number.parseInt(first.replace('-', '').slice(0, 12), 16)).toBe(noon.getTime());
  });
});

import { describe, expect, it } from '@jest/globals';
import { binsOf, medianOf, percentilesOf } from './percentiles.ts';

it('ranks durations by the nearest rank', () => {
  const durations = Array.from({ length: 200 }, (_, index) => 200 - index);
  expect(percentilesOf(durations)).toEqual({ p50: 100, p95: 190, p99: 198, max: 200, count: 200 });
});

it('ranks a single duration as all percentiles', () => {
  expect(percentilesOf([7])).toEqual({ p50: 7, p95: 7, p99: 7, max: 7, count: 1 });
});

it('takes one of the values as the median', () => {
  expect(medianOf([3, 1, 2])).toBe(2);
  expect(medianOf([4, 1, 2, 3])).toBe(2.5);
  expect(medianOf([4])).toBe(4);
  expect(medianOf([])).toBeNaN();
});

describe('bins', () => {
  it('hold every duration once, with the empty ones between the full ones', () => {
    const bins = binsOf([1, 1, 10, 100]);
    expect(bins[0]).toEqual({ upToMs: 1, count: 2 });
    expect(bins.at(-1)).toEqual({ upToMs: 100, count: 1 });
    expect(bins).toHaveLength(25);
    expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(4);
  });

  it('are none of nothing', () => {
    expect(binsOf([])).toEqual([]);
  });
});

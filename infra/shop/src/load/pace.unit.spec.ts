import { describe, expect, it } from '@jest/globals';
import { Pace } from './pace.ts';

/** Calls every 20 ms for so long; what was started and missed in all. */
function run(pace: Pace, fromMs: number, forMs: number, free: number): { start: number; missed: number } {
  const sum = { start: 0, missed: 0 };
  for (let now = fromMs + 20; now <= fromMs + forMs; now += 20) {
    const { start, missed } = pace.take(now, free);
    sum.start += start;
    sum.missed += missed;
  }
  return sum;
}

describe('the pace of a load', () => {
  it.each([
    [5, 60_000, 300],
    [0.5, 60_000, 30],
    [333, 3_000, 999],
  ])('of %d per second starts them evenly: in %d ms %d', (perSecond, forMs, expected) => {
    const { start, missed } = run(new Pace(perSecond, 0), 0, forMs, Number.POSITIVE_INFINITY);
    expect(Math.abs(start - expected)).toBeLessThanOrEqual(1);
    expect(missed).toBe(0);
  });

  it('starts no more than there is room for', () => {
    expect(new Pace(100, 0).take(500, 7)).toEqual({ start: 7, missed: 0 });
  });

  it('catches up on a second, not on an outage', () => {
    const pace = new Pace(10, 0);
    const outage = run(pace, 0, 60_000, 0);
    expect(outage.start).toBe(0);
    expect(Math.abs(outage.missed - 590)).toBeLessThanOrEqual(1);
    expect(pace.take(60_000, 1_000)).toEqual({ start: 10, missed: 0 });
  });
});

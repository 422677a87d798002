import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bucketOf, durationOf, type LatencyBucket, percentileOf, RELATIVE_ERROR } from './latency-buckets.ts';

const duration = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 30 * 24 * 3_600_000 }));

describe('the latency histogram', () => {
  it('stands for each duration within the relative error it promises', () => {
    fc.assert(
      fc.property(duration, (ms) => {
        expect(Math.abs(durationOf(bucketOf(ms)) - ms) / ms).toBeLessThanOrEqual(RELATIVE_ERROR);
      }),
    );
  });

  it('puts longer durations into the same or a later bucket', () => {
    fc.assert(
      fc.property(duration, duration, (a, b) => {
        expect(bucketOf(Math.min(a, b))).toBeLessThanOrEqual(bucketOf(Math.max(a, b)));
      }),
    );
  });

  it.each([-5_000, -1, 0, 1])('counts %i ms as nothing, which is at most 1 ms away', (ms) => {
    expect(bucketOf(ms)).toBe(0);
    expect(durationOf(0)).toBe(1);
  });

  it('reads percentiles as near to the exact ones as it promises', () => {
    const share = fc.constantFrom(0.5, 0.9, 0.95, 0.99, 1);
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: 200 }), share, (durations, wanted) => {
        const ascending = durations.toSorted((a, b) => a - b);
        const exact = ascending[Math.max(1, Math.ceil(wanted * ascending.length)) - 1] ?? Number.NaN;
        const read = percentileOf(histogramOf(durations), wanted) ?? Number.NaN;
        expect(Math.abs(read - exact) / exact).toBeLessThanOrEqual(RELATIVE_ERROR);
      }),
    );
  });

  it('has no percentiles before the first order', () => {
    expect(percentileOf([], 0.5)).toBeUndefined();
  });
});

function histogramOf(durations: readonly number[]): LatencyBucket[] {
  return [...Map.groupBy(durations.map(bucketOf), (bucket) => bucket)]
    .map(([bucket, all]) => ({ bucket, orders: all.length }))
    .sort((a, b) => a.bucket - b.bucket);
}

// Buckets grow by a tenth, so the middle of a bucket is at most 1/21 (4.8 %) away from every value in it.
const GROWTH = 1.1;

/** What a percentile read from the histogram may be off by, relative to the true value. */
export const RELATIVE_ERROR = 0.05;

/** How many orders took how long: bucket 0 holds up to 1 ms, bucket n holds more than 1.1ⁿ⁻¹ and up to 1.1ⁿ ms. */
export interface LatencyBucket {
  readonly bucket: number;
  readonly orders: number;
}

/** The bucket of a duration. A negative one, which two clocks that disagree can make, counts as none. */
export function bucketOf(durationMs: number): number {
  return durationMs <= 1 ? 0 : Math.ceil(Math.log(durationMs) / Math.log(GROWTH));
}

/** The value that stands for all in a bucket: within `RELATIVE_ERROR` of each of them, or within 1 ms in bucket 0. */
export function durationOf(bucket: number): number {
  return bucket === 0 ? 1 : (2 * GROWTH ** bucket) / (GROWTH + 1);
}

/**
 * The duration that the given share (0 to 1) of the orders did not exceed, by the nearest-rank definition, in ms.
 * `undefined` when there are no orders. `buckets` are in ascending order.
 */
export function percentileOf(buckets: readonly LatencyBucket[], share: number): number | undefined {
  const total = ordersIn(buckets);
  const rank = Math.max(1, Math.ceil(share * total));
  let seen = 0;
  for (const { bucket, orders } of buckets) {
    seen += orders;
    if (seen >= rank) return durationOf(bucket);
  }
  return undefined;
}

export function ordersIn(buckets: readonly LatencyBucket[]): number {
  return buckets.reduce((sum, { orders }) => sum + orders, 0);
}

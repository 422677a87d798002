/** Of a set of durations, in milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly count: number;
}

/** Nearest-rank percentiles; all NaN when there is nothing to rank. */
export function percentilesOf(durationsMs: readonly number[]): Percentiles {
  const sorted = durationsMs.toSorted((a, b) => a - b);
  const rank = (share: number): number => round(sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN);
  return { p50: rank(0.5), p99: rank(0.99), max: rank(1), count: sorted.length };
}

/** To two decimals: what a measurement on a busy machine can claim. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

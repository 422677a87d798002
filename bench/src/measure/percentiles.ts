/** Of a set of durations, in milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  readonly count: number;
}

/** Durations, counted between limits that grow by the same factor. */
export interface Bin {
  /** This bin holds what took at most so long, and longer than the bin before. */
  readonly upToMs: number;
  readonly count: number;
}

// Twelve bins to a factor of ten: fine enough to see two humps, coarse enough to be drawn.
const BINS_PER_DECADE = 12;

/** Nearest-rank percentiles of all durations, none of them estimated; all NaN when there is nothing to rank. */
export function percentilesOf(durationsMs: readonly number[]): Percentiles {
  const sorted = durationsMs.toSorted((a, b) => a - b);
  const rank = (share: number): number => round(sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN);
  return { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99), max: rank(1), count: sorted.length };
}

/** From the first bin that holds anything to the last, those between included. */
export function binsOf(durationsMs: readonly number[]): readonly Bin[] {
  const counts = new Map<number, number>();
  for (const duration of durationsMs) {
    const bin = Math.ceil(Math.log10(Math.max(duration, 0.1)) * BINS_PER_DECADE);
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  const numbers = [...counts.keys()];
  if (numbers.length === 0) return [];
  const first = Math.min(...numbers);
  return Array.from({ length: Math.max(...numbers) - first + 1 }, (_, index) => ({
    upToMs: round(10 ** ((first + index) / BINS_PER_DECADE)),
    count: counts.get(first + index) ?? 0,
  }));
}

/** The middle one; of an even number the mean of the two in the middle. NaN of nothing. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
  return middle.reduce((sum, each) => sum + each, 0) / middle.length;
}

/** To two decimals: what a measurement on a busy machine can claim. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Which orders an auditor still has to judge. */
export interface WatchListOptions {
  /** How far back it looks when it starts, and after it could not look for long. */
  readonly windowMs: number;
  /** So many unjudged orders are remembered at most. */
  readonly maxUnjudged?: number;
}

// The ids of orders rise with time, but an order is seen when its transaction has committed, and the clocks of replicas
// differ: orders that were placed shortly before the last look may show up only now.
const LATE_MS = 30_000;

// Of 100 bytes each. A shop with more orders in one window than this has the rest judged once.
const MAX_JUDGED = 100_000;

// While no look comes to its end, because a part of the shop is away, nothing is judged and orders keep coming.
const MAX_UNJUDGED = 100_000;

/**
 * Remembers orders from when they are first seen until they are judged for the last time: once when they have settled, and
 * once more a window later, because what happens twice may happen the second time late.
 */
export class WatchList {
  readonly #windowMs: number;
  readonly #maxUnjudged: number;
  readonly #unjudged = new Set<string>();
  readonly #judgedAt = new Map<string, number>();
  #lookedUpTo: string | undefined;
  #isBehind = false;
  #dropped = 0;

  constructor({ windowMs, maxUnjudged = MAX_UNJUDGED }: WatchListOptions) {
    this.#windowMs = windowMs;
    this.#maxUnjudged = maxUnjudged;
  }

  /**
   * Orders with this id or a later one are to be looked for, by rising id. Those that are open, however old, belong to the
   * first look too.
   */
  lookFrom(now: Date): string {
    const windowStart = firstIdOf(new Date(now.getTime() - this.#windowMs));
    if (this.#lookedUpTo === undefined) return windowStart;
    return this.#isBehind || this.#lookedUpTo > windowStart ? this.#lookedUpTo : windowStart;
  }

  /**
   * Takes up what a look at `now` has found, by rising id. When it could not take all that there are, the next one goes on
   * after the last. Of too many the oldest are dropped.
   */
  add(orderIds: readonly string[], now: Date, isAll = true): void {
    for (const orderId of orderIds) if (!this.#judgedAt.has(orderId)) this.#unjudged.add(orderId);
    for (const oldest of this.#unjudged) {
      if (this.#unjudged.size <= this.#maxUnjudged) break;
      this.#unjudged.delete(oldest);
      this.#dropped += 1;
    }
    const recent = firstIdOf(new Date(now.getTime() - LATE_MS));
    const last = orderIds.at(-1);
    this.#isBehind = !isAll && last !== undefined;
    this.#lookedUpTo = this.#isBehind && last !== undefined && last < recent ? last : recent;
  }

  /** What does not exist any more. */
  forget(orderIds: readonly string[]): void {
    for (const orderId of orderIds) this.#unjudged.delete(orderId);
  }

  /** Judged for the first or for the second time at `now`. */
  judged(orderIds: readonly string[], now: Date): void {
    for (const orderId of orderIds) {
      this.#unjudged.delete(orderId);
      if (!this.#judgedAt.delete(orderId) && this.#judgedAt.size < MAX_JUDGED) {
        this.#judgedAt.set(orderId, now.getTime());
      }
    }
  }

  get unjudged(): readonly string[] {
    return [...this.#unjudged];
  }

  /** There are orders that no look has taken up so far. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** How many orders were forgotten before they were judged, because there were too many. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Those that were judged a window ago. */
  dueAgain(now: Date): readonly string[] {
    const due: string[] = [];
    for (const [orderId, judgedAt] of this.#judgedAt) {
      if (judgedAt > now.getTime() - this.#windowMs) break; // the map keeps them in the order in which they were judged
      due.push(orderId);
    }
    return due;
  }
}

/** The lowest UUIDv7 of a millisecond. */
export function firstIdOf(time: Date): string {
  const hex = Math.max(0, time.getTime()).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-000000000000`;
}

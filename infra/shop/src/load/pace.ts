/**
 * Spreads orders evenly over time, however long each takes. What could not be started in its second is not made up for
 * later, or an outage would be followed by a flood; it is counted as missed.
 */
export class Pace {
  readonly #perMs: number;
  readonly #backlog: number;
  #lastAt: number;
  #due = 0;

  constructor(perSecond: number, startedAtMs: number) {
    this.#perMs = perSecond / 1000;
    this.#backlog = Math.max(1, perSecond);
    this.#lastAt = startedAtMs;
  }

  /** How many are to be started now, at most `free`, and how many have been missed since the last call. */
  take(nowMs: number, free: number): { readonly start: number; readonly missed: number } {
    this.#due += (nowMs - this.#lastAt) * this.#perMs;
    this.#lastAt = nowMs;
    const start = Math.min(Math.floor(this.#due), Math.max(0, free));
    this.#due -= start;
    const missed = Math.max(0, Math.floor(this.#due - this.#backlog));
    this.#due -= missed;
    return { start, missed };
  }
}

// Long enough to look steady, short enough to notice a change.
const WINDOW_MS = 10_000;

/** How fast something grows, over the last seconds. */
export class Pace {
  #points: { readonly atMs: number; readonly value: number }[] = [];

  note(value: number, atMs: number): void {
    this.#points.push({ atMs, value });
    const from = this.#points.findLastIndex((point) => point.atMs <= atMs - WINDOW_MS);
    if (from > 0) this.#points.splice(0, from);
  }

  get perSecond(): number {
    const [first, last] = [this.#points[0], this.#points.at(-1)];
    if (first === undefined || last === undefined || last.atMs === first.atMs) return 0;
    return ((last.value - first.value) * 1000) / (last.atMs - first.atMs);
  }
}

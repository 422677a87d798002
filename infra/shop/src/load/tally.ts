/** What became of a load. All counts are since its start. */
export class Tally {
  readonly #counts = {
    placed: 0,
    confirmed: 0,
    completed: 0,
    cancelled: 0,
    repeated: 0,
    refused: 0,
    errors: 0,
    behind: 0,
    restocked: 0,
  };
  readonly #refusals = new Map<number, number>();
  #latenciesMs: number[] = [];
  #isBroken = false;

  placed(tookMs: number): void {
    this.#counts.placed += 1;
    this.#latenciesMs.push(tookMs);
  }

  /** The same request came again; it must have got the same order. */
  repeated(isSameOrder: boolean): void {
    this.#counts.repeated += 1;
    if (!isSameOrder) this.#isBroken = true;
  }

  confirmed(): void {
    this.#counts.confirmed += 1;
  }

  ended(status: 'completed' | 'cancelled'): void {
    this.#counts[status] += 1;
  }

  /** The API answered, and not with an order. */
  refused(status: number): void {
    this.#counts.refused += 1;
    this.#refusals.set(status, (this.#refusals.get(status) ?? 0) + 1);
  }

  /** The API did not answer, or with nothing that is understood. */
  failed(): void {
    this.#counts.errors += 1;
  }

  /** Orders that were due and could not be started. */
  missed(count: number): void {
    this.#counts.behind += count;
  }

  restocked(products: number): void {
    this.#counts.restocked += products;
  }

  /** A repeated request made a second order. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** One line of all counts, with the latencies since the last one. */
  line(elapsedMs: number): string {
    const { placed, confirmed, completed, cancelled, repeated, refused, errors, behind, restocked } = this.#counts;
    const seconds = elapsedMs / 1000;
    const refusals = [...this.#refusals].map(([status, count]) => `${count} × ${status}`).join(', ');
    const latencies = this.#latenciesMs.toSorted((one, other) => one - other);
    this.#latenciesMs = [];
    const at = (share: number) => Math.round(latencies[Math.floor((latencies.length - 1) * share)] ?? 0);
    return [
      `${Math.round(seconds)} s: placed ${placed} (${(placed / Math.max(seconds, 1)).toFixed(1)}/s)`,
      `confirmed ${confirmed}`,
      `completed ${completed}`,
      `cancelled ${cancelled}`,
      `repeated ${repeated}`,
      `refused ${refused}${refusals === '' ? '' : ` (${refusals})`}`,
      `errors ${errors}`,
      `behind ${behind}`,
      ...(restocked === 0 ? [] : [`restocked ${restocked}`]),
      ...(latencies.length === 0 ? [] : [`answered in ${at(0.5)} ms (p99 ${at(0.99)} ms)`]),
    ].join(', ');
  }
}

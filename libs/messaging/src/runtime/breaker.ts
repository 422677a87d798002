import { backoffMs } from './pause.ts';

// One call that nobody answers may be about its message; several in a row, with nobody getting through, are about the other side.
const OPENS_AFTER = 3;

const MAX_BACKOFF_MS = 5000;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
}

/**
 * Keeps a handler from calling somebody who is away. Closed, everybody passes. It opens when several calls in a row find nobody, and
 * then lets one probe pass after a growing pause: if that gets an answer all go on, if not the pause begins again.
 */
export class Breaker {
  readonly #onChange: () => void;
  readonly #waiters = new Set<Waiter>();
  #state: 'closed' | 'open' | 'half-open' = 'closed';
  #isProbing = false;
  #failures = 0;
  #problem: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #outage: string | undefined;

  /** `onChange` hears when `outage` appears or goes. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /**
   * Why nobody is called at present. While the next probe is only waited for there is none, or nothing would be fetched that could
   * be the probe.
   */
  get outage(): string | undefined {
    return this.#outage;
  }

  /** Resolves when a call may be made. Rejects when `drop` is called before. */
  pass(): Promise<void> {
    if (this.#state === 'closed') return Promise.resolve();
    if (this.#state === 'half-open' && !this.#isProbing) {
      this.#isProbing = true;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => this.#waiters.add({ resolve, reject }));
  }

  /** Somebody answered, whatever the answer. */
  answered(): void {
    this.#failures = 0;
    if (this.#state === 'closed') return;
    clearTimeout(this.#timer);
    this.#state = 'closed';
    this.#isProbing = false;
    this.#tell();
    for (const { resolve } of this.#waiters) resolve();
    this.#waiters.clear();
  }

  /** A call found nobody. Calls that were under way when it opened change nothing. */
  failed(problem: string): void {
    this.#problem = problem;
    if (this.#state === 'open' || (this.#state === 'half-open' && !this.#isProbing)) return;
    this.#failures += 1;
    if (this.#failures < OPENS_AFTER) return;
    this.#state = 'open';
    this.#isProbing = false;
    this.#timer = setTimeout(() => this.#probe(), backoffMs(this.#failures - OPENS_AFTER + 1, MAX_BACKOFF_MS));
    this.#tell();
  }

  /** Lets everybody who waits go with this error: what they wait for is no longer theirs to call about. */
  drop(reason: Error): void {
    for (const { reject } of this.#waiters) reject(reason);
    this.#waiters.clear();
  }

  /** No probe is let through any more. */
  stop(reason: Error): void {
    clearTimeout(this.#timer);
    this.drop(reason);
  }

  #probe(): void {
    this.#state = 'half-open';
    const [first] = this.#waiters;
    if (first !== undefined) {
      this.#isProbing = true;
      this.#waiters.delete(first);
      first.resolve();
    }
    this.#tell();
  }

  #tell(): void {
    const isOut = this.#state === 'open' || (this.#state === 'half-open' && this.#isProbing);
    const outage = isOut ? this.#problem : undefined;
    const isChanged = (outage === undefined) !== (this.#outage === undefined);
    this.#outage = outage;
    if (isChanged) this.#onChange();
  }
}

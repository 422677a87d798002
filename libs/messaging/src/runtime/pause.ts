/** Waits, or less when `wake` is called. Never rejects. */
export class Pause {
  readonly #waiting = new Set<() => void>();
  #isWoken = false;

  /** Ends the waits of the moment; where nobody waits, the next one at once. */
  wake(): void {
    if (this.#waiting.size === 0) this.#isWoken = true;
    for (const end of this.#waiting) end();
  }

  async wait(ms: number): Promise<void> {
    if (this.#isWoken) {
      this.#isWoken = false;
      return;
    }
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#waiting.add(end);
    });
  }
}

/** Exponential backoff with full jitter (half of it fixed): 100 ms doubling up to `maxMs`. */
export function backoffMs(attempt: number, maxMs: number): number {
  const ceiling = Math.min(maxMs, 100 * 2 ** Math.min(attempt, 16));
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}

/** Waits, or less when `wake` is called. For one waiter at a time. Never rejects. */
export class Pause {
  #wake: (() => void) | undefined;
  #isWoken = false;

  /** Ends the present wait, or the next one at once. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  async wait(ms: number): Promise<void> {
    if (!this.#isWoken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = undefined;
    this.#isWoken = false;
  }
}

/** Exponential backoff with full jitter (half of it fixed): 100 ms doubling up to `maxMs`. */
export function backoffMs(attempt: number, maxMs: number): number {
  const ceiling = Math.min(maxMs, 100 * 2 ** Math.min(attempt, 16));
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}

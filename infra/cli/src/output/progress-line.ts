import type { Sink } from './output.ts';

// Where nobody watches, a log wants to know how far it is, not every step.
const PLAIN_EVERY_MS = 5000;

/** How far something is: one line that changes where somebody watches, a line now and then where not. */
export class ProgressLine {
  readonly #sink: Sink;
  #toldAt = -Infinity;
  #told: string | undefined;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  show(text: string): void {
    if (this.#sink.isTTY === true) {
      this.#sink.write(`\r\u001B[K${text}`);
      this.#told = text;
      return;
    }
    const now = performance.now();
    if (now - this.#toldAt < PLAIN_EVERY_MS || text === this.#told) return;
    this.#sink.write(`${text}\n`);
    [this.#toldAt, this.#told] = [now, text];
  }

  /** Nothing more comes; what was shown last stays. */
  end(): void {
    if (this.#sink.isTTY === true && this.#told !== undefined) this.#sink.write('\n');
    this.#told = undefined;
  }
}

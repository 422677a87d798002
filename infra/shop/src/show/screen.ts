import type { WriteStream } from 'node:tty';
import pico from 'picocolors';

const REFRESH_MS = 100;

/**
 * Where the demo speaks to a person. On a terminal it has colours and a last line that shows what is going on; elsewhere,
 * and with NO_COLOR, it is plain text.
 */
export class Screen {
  readonly color: ReturnType<typeof pico.createColors>;
  readonly #out: WriteStream;
  readonly #doing = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** The one on standard output. */
  static ofThisProcess(): Screen {
    return new Screen(process.stdout, process.stdout.isTTY === true && !process.env['NO_COLOR']);
  }

  constructor(out: WriteStream, isColored: boolean) {
    this.#out = out;
    this.color = pico.createColors(isColored);
    // Whoever read the output has gone (`demo | head`); the demo ends as it would without a reader.
    out.on('error', () => {});
  }

  line(text = ''): void {
    if (this.#isClosed) return;
    this.#eraseStatus();
    this.#out.write(`${text}\n`);
    this.#drawStatus();
  }

  /** Shows that something is being done, until `done`. */
  doing(what: string): void {
    this.#doing.set(what, performance.now());
    if (!this.#out.isTTY || this.#isClosed) return;
    this.#timer ??= setInterval(() => this.#drawStatus(), REFRESH_MS);
  }

  done(what: string): void {
    this.#doing.delete(what);
    if (this.#doing.size === 0) this.#stopStatus();
  }

  /** Says a last word; whatever goes on in the background is not shown any more. */
  close(lastWord: string): void {
    this.#stopStatus();
    this.line();
    this.line(lastWord);
    this.#isClosed = true;
  }

  #stopStatus(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#eraseStatus();
  }

  #drawStatus(): void {
    if (this.#timer === undefined || this.#doing.size === 0) return;
    const all = [...this.#doing].map(([what, since]) => `${what} ${((performance.now() - since) / 1000).toFixed(1)} s`);
    const text = `  … ${all.join(', ')}`.slice(0, (this.#out.columns || 80) - 1);
    this.#out.write(`\r\u001B[K${this.color.dim(text)}`);
  }

  #eraseStatus(): void {
    if (this.#out.isTTY) this.#out.write('\r\u001B[K');
  }
}

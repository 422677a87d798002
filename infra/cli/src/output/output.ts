import { createColors } from 'picocolors';
import { type Column, plain, tableOf } from './table.ts';

// What fits a split screen and a page of documentation.
const WIDTH = 100;

/** Where text goes: standard output or standard error. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** What a command shows: one JSON document and nothing else on standard output, or text for people. */
export class Output {
  readonly isJson: boolean;
  readonly color: ReturnType<typeof createColors>;
  readonly #out: Sink;
  readonly #err: Sink;

  constructor({
    isJson,
    isColored,
    out,
    err,
  }: {
    readonly isJson: boolean;
    readonly isColored: boolean;
    readonly out: Sink;
    readonly err: Sink;
  }) {
    this.isJson = isJson;
    this.color = createColors(isColored && !isJson);
    this.#out = out;
    this.#err = err;
  }

  /** The outcome of a command, once: the document where JSON was asked for, else what `forPeople` prints. */
  show(document: unknown, forPeople: () => void): void {
    if (this.isJson) this.#out.write(`${JSON.stringify(document, asJson, 2)}\n`);
    else forPeople();
  }

  /** One of a series: a line of NDJSON where JSON was asked for. */
  showNext(document: unknown, forPeople: () => void): void {
    if (this.isJson) this.#out.write(`${JSON.stringify(document, asJson)}\n`);
    else forPeople();
  }

  /** For people only. */
  line(text = ''): void {
    if (!this.isJson) this.#out.write(`${text}\n`);
  }

  /** For people only: one fact about what is shown, under its name. */
  entry(name: string, text: string): void {
    this.line(`${name.padEnd(14)} ${plain(text)}`);
  }

  /** For people only. */
  table(columns: readonly Column[], rows: readonly (readonly (string | number)[])[]): void {
    const [head = '', ...lines] = tableOf(columns, rows, WIDTH);
    this.line(this.color.bold(head));
    for (const each of lines) this.line(each);
  }

  /** To standard error, in either form: what a script must not take for the outcome. */
  note(text: string): void {
    this.#err.write(`${text}\n`);
  }

  /** Starts the screen anew, for a view that repeats itself. Nothing where nobody watches. */
  clear(): void {
    if (!this.isJson && this.#out.isTTY === true) this.#out.write('\u001B[2J\u001B[H');
  }
}

/** Offsets that are too large for a number are told as text. */
function asJson(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

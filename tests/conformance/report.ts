import { availableParallelism } from 'node:os';
import type { PlantedBug } from './planted-bug.ts';
import type { Results } from './results.ts';
import { nameOf, type Scenario } from './scenario.ts';
import type { Outcome } from './suite.ts';

type Writable<Section> = { -readonly [Name in keyof Section]: Writable<Section[Name]> };

// What a red scenario says is a line of a table.
const MAX_LINE = 160;

const isColoured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
const GREEN = 32;
const RED = 31;

/** Tells what comes of a run of the suite, as it comes, and remembers it. */
export class Report {
  readonly #startedAt = performance.now();
  readonly #scenarios: Writable<Results['scenarios']> = {};
  readonly #bugs: Writable<Results['bugs']> = {};
  #passed = 0;
  #failed = 0;

  /** Every promise held and every planted bug was noticed. */
  get isGood(): boolean {
    return this.#failed === 0;
  }

  get results(): Results {
    return {
      at: new Date().toISOString(),
      cores: availableParallelism(),
      scenarios: this.#scenarios,
      bugs: this.#bugs,
    };
  }

  scenario(scenario: Scenario, brokers: number, { holds, seconds, error }: Outcome): void {
    const name = nameOf(scenario);
    (this.#scenarios[name] ??= {})[String(brokers)] = { holds, seconds };
    this.#tell(holds, name, seconds, error);
  }

  bug({ name, promise, shows }: PlantedBug, { holds, seconds, error = '' }: Outcome): void {
    const isCaught = !holds && shows.test(error);
    const said = firstLine(error);
    this.#bugs[name] = { caught: isCaught, seconds, said };
    const verdict = isCaught ? `caught: ${said}` : holds ? 'NOT CAUGHT' : error;
    this.#tell(isCaught, `planted in ${promise}: ${name}`, seconds, verdict);
  }

  /** In the words of Jest, so that whoever adds up its totals counts these too. */
  totals(): void {
    const failures = this.#failed > 0 ? `${this.#failed} failed, ` : '';
    say(`\nTests:       ${failures}${this.#passed} passed, ${this.#failed + this.#passed} total`);
    say(`Time:        ${Math.round((performance.now() - this.#startedAt) / 1000)} s`);
  }

  #tell(isGood: boolean, name: string, seconds: number, more: string | undefined): void {
    if (isGood) this.#passed += 1;
    else this.#failed += 1;
    const mark = isGood ? coloured('✓', GREEN) : coloured('✗', RED);
    say(`  ${mark} ${name} (${seconds.toFixed(1)} s)`);
    if (more !== undefined) say(more.replace(/^/gm, '      '));
  }
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function firstLine(error: string): string {
  const [line = ''] = error.split('\n');
  return line.length <= MAX_LINE ? line : `${line.slice(0, MAX_LINE)}…`;
}

function coloured(text: string, colour: number): string {
  return isColoured ? `\u001b[${colour}m${text}\u001b[0m` : text;
}

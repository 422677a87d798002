import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export const HELP = `Runs the promises of the messaging runtime against a service in processes of its own, on one broker and on three, then plants
bugs in copies of libs/messaging and sees that the suite notices each.

  pnpm conformance [options]

  --only TEXT        only scenarios and planted bugs whose name contains the text; may be given again
  --brokers 1|3      only on so many brokers
  --no-bugs          only the scenarios
  --bugs             only the planted bugs
  --side-by-side N   so many scenarios at a time (default: twice the cores)
  --repeat N         each so many times, to meet what happens rarely
  --no-record        a complete run leaves tests/conformance/results.json and docs/promises.md as they are
  --json FILE        also writes what was found as JSON
  --list             names everything and runs nothing
  --help             this text

Exit code 0: every promise holds and every planted bug was caught. 1: not so. 2: the options make no sense.`;

export interface Options {
  readonly only: readonly string[] | undefined;
  readonly brokers: readonly (1 | 3)[];
  readonly scenarios: boolean;
  readonly bugs: boolean;
  readonly sideBySide: number;
  readonly repeat: number;
  readonly records: boolean;
  /** Where to write what was found. */
  readonly json: string | undefined;
  readonly action: 'run' | 'list' | 'help';
}

/** @throws {Error} the options make no sense; the text says why. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      brokers: { type: 'string' },
      bugs: { type: 'boolean' },
      'no-bugs': { type: 'boolean' },
      'side-by-side': { type: 'string' },
      repeat: { type: 'string', default: '1' },
      'no-record': { type: 'boolean' },
      json: { type: 'string' },
      list: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.bugs === true && values['no-bugs'] === true) throw new Error('--bugs and --no-bugs exclude each other');
  if (values.brokers !== undefined && !['1', '3'].includes(values.brokers)) throw new Error('--brokers is 1 or 3');
  const sideBySide = values['side-by-side'] === undefined ? 2 * availableParallelism() : Number(values['side-by-side']);
  if (!Number.isSafeInteger(sideBySide) || sideBySide < 1) throw new Error('--side-by-side is a number, at least 1');
  const repeat = Number(values.repeat);
  if (!Number.isSafeInteger(repeat) || repeat < 1) throw new Error('--repeat is a number, at least 1');
  const isComplete =
    values.only === undefined && values.brokers === undefined && !values.bugs && !values['no-bugs'] && repeat === 1;
  return {
    only: values.only,
    brokers: values.brokers === undefined ? [1, 3] : [Number(values.brokers) as 1 | 3],
    scenarios: values.bugs !== true,
    bugs: values['no-bugs'] !== true,
    sideBySide,
    repeat,
    // A part of the suite tells nothing about the rest.
    records: isComplete && values['no-record'] !== true,
    json: values.json,
    action: values.help === true ? 'help' : values.list === true ? 'list' : 'run',
  };
}

import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '@millrace/embedded';
import { SIGNALS } from '@millrace/shop';
import { build, buildWith } from './build.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import type { PlantedBug } from './planted-bug.ts';
import { plantedBugs } from './planted-bugs.ts';
import { type Results, writeResults } from './results.ts';
import { nameOf, type Scenario } from './scenario.ts';
import { scenarios } from './scenarios/index.ts';
import { Grid, type Outcome, type Run } from './suite.ts';

// A busy machine needs seconds for what an idle one does in milliseconds.
const PATIENCE_MS = 60_000;

// What a planted bug keeps from happening would be waited for in full.
const PATIENCE_WITH_A_BUG_MS = 45_000;

// What a red scenario says is a line of a table.
const MAX_LINE = 160;

const isColoured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
const repository = join(import.meta.dirname, '../..');
const GENERATOR = 'tools/docs/generate.ts';
const PAGE = 'docs/promises.md';

const GREEN = 32;
const RED = 31;

process.exitCode = await main();

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}\n`);
    return 2;
  }
  if (options.action === 'help') {
    say(HELP);
    return 0;
  }
  const isWanted = (name: string): boolean => options.only?.some((text) => name.includes(text)) ?? true;
  const chosen = options.scenarios ? scenarios.filter((scenario) => isWanted(nameOf(scenario))) : [];
  const bugs = options.bugs ? plantedBugs.filter(({ promise, name }) => isWanted(`${promise}: ${name}`)) : [];
  if (options.action === 'list') {
    for (const scenario of chosen) say(nameOf(scenario));
    for (const { promise, name } of bugs) say(`${promise}: [planted bug] ${name}`);
    return 0;
  }
  if (chosen.length + bugs.length === 0) {
    process.stderr.write(`nothing is called ${JSON.stringify(options.only)}: see --list\n`);
    return 2;
  }
  return (await runAll(options, chosen, bugs)) ? 0 : 1;
}

async function runAll(options: Options, chosen: readonly Scenario[], bugs: readonly PlantedBug[]): Promise<boolean> {
  const startedAt = performance.now();
  const folder = temporaryFolder('millrace-conformance');
  // What was started ends with this process, and the folder goes with it: see temporaryFolder and startChild.
  for (const [signal, code] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      say('\ninterrupted: everything that was started ends now');
      process.exit(code);
    });
  }
  const found: Results['scenarios'] & Record<string, Record<string, { holds: boolean; seconds: number }>> = {};
  const caught: Record<string, { caught: boolean; seconds: number; said: string }> = {};
  let failed = 0;
  let passed = 0;
  const count = (isGood: boolean): void => void (isGood ? (passed += 1) : (failed += 1));
  try {
    const sound = build(join(folder.path, 'builds/sound'));
    for (const nodes of options.brokers) {
      const planted = nodes === 1 ? bugs : [];
      if (chosen.length + planted.length === 0) continue;
      say(`\n${nodes === 1 ? 'One broker' : 'Three brokers'}`);
      const bugOf = new Map<Run, PlantedBug>();
      const runs: Run[] = chosen.map((scenario) => ({ scenario, build: sound, patienceMs: PATIENCE_MS }));
      for (const [index, bug] of planted.entries()) {
        const run = {
          scenario: scenarioOf(bug),
          build: buildWith(bug, sound, join(folder.path, `builds/bug-${index + 1}`)),
          patienceMs: PATIENCE_WITH_A_BUG_MS,
        };
        bugOf.set(run, bug);
        runs.push(run);
      }
      const grid = await Grid.start(join(folder.path, `brokers-${nodes}`), nodes);
      try {
        await grid.run(
          Array.from({ length: options.repeat }, () => runs).flat(),
          options.sideBySide,
          (run, outcome) => {
            const bug = bugOf.get(run);
            if (bug === undefined) {
              const name = nameOf(run.scenario);
              (found[name] ??= {})[String(nodes)] = { holds: outcome.holds, seconds: outcome.seconds };
              count(outcome.holds);
              tell(outcome.holds, name, outcome.seconds, outcome.error);
            } else {
              const isCaught = !outcome.holds && bug.shows.test(outcome.error ?? '');
              caught[bug.name] = { caught: isCaught, seconds: outcome.seconds, said: firstLine(outcome) };
              count(isCaught);
              const verdict = isCaught ? `caught: ${firstLine(outcome)}` : outcome.holds ? 'NOT CAUGHT' : outcome.error;
              tell(isCaught, `planted in ${bug.promise}: ${bug.name}`, outcome.seconds, verdict);
            }
          },
        );
      } finally {
        await grid.stop();
      }
    }
  } finally {
    await folder.remove();
  }
  const results: Results = {
    at: new Date().toISOString(),
    cores: availableParallelism(),
    scenarios: found,
    bugs: caught,
  };
  if (options.json !== undefined) writeResults(results, resolve(options.json));
  if (options.records) {
    writeResults(results);
    await promisify(execFile)(process.execPath, [...process.execArgv, GENERATOR, PAGE], { cwd: repository });
    say('\nThe results are in tests/conformance/results.json and docs/promises.md.');
  }
  // In the words of Jest, so that whoever adds up its totals counts these too.
  const failures = failed > 0 ? `${failed} failed, ` : '';
  say(`\nTests:       ${failures}${passed} passed, ${failed + passed} total`);
  say(`Time:        ${Math.round((performance.now() - startedAt) / 1000)} s`);
  return failed === 0;
}

function scenarioOf({ name, promise, scenario: title }: PlantedBug): Scenario {
  const scenario = scenarios.find((candidate) => candidate.promise === promise && candidate.title === title);
  if (scenario === undefined) throw new Error(`the planted bug "${name}" names a scenario that is no more`);
  return scenario;
}

function firstLine({ error }: Outcome): string {
  const [line = ''] = (error ?? '').split('\n');
  return line.length <= MAX_LINE ? line : `${line.slice(0, MAX_LINE)}…`;
}

function tell(isGood: boolean, name: string, seconds: number, more: string | undefined): void {
  const mark = isGood ? coloured('✓', GREEN) : coloured('✗', RED);
  say(`  ${mark} ${name} (${seconds.toFixed(1)} s)`);
  if (more !== undefined) say(more.replace(/^/gm, '      '));
}

function coloured(text: string, colour: number): string {
  return isColoured ? `\u001b[${colour}m${text}\u001b[0m` : text;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

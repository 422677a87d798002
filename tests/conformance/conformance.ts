import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '@millrace/embedded';
import { SIGNALS } from '@millrace/shop';
import { type Build, build, buildWith } from './build.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import type { PlantedBug } from './planted-bug.ts';
import { plantedBugs } from './planted-bugs.ts';
import { Report, say } from './report.ts';
import { writeResults } from './results.ts';
import { nameOf, type Scenario } from './scenario.ts';
import { scenarios } from './scenarios/index.ts';
import { Grid, type Run } from './suite.ts';

// A busy machine needs seconds for what an idle one does in milliseconds.
const PATIENCE_MS = 60_000;

// What a planted bug keeps from happening would be waited for in full.
const PATIENCE_WITH_A_BUG_MS = 45_000;

const repository = join(import.meta.dirname, '../..');
const GENERATOR = 'tools/docs/generate.ts';
const PAGE = 'docs/promises.md';

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
  const folder = temporaryFolder('millrace-conformance');
  // What was started ends with this process, and the folder goes with it: see temporaryFolder and startChild.
  for (const [signal, code] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      say('\ninterrupted: everything that was started ends now');
      process.exit(code);
    });
  }
  const report = new Report();
  try {
    const sound = build(join(folder.path, 'builds/sound'));
    for (const nodes of options.brokers) {
      const planted = nodes === 1 ? bugs : [];
      if (chosen.length + planted.length === 0) continue;
      say(`\n${nodes === 1 ? 'One broker' : 'Three brokers'}`);
      const bugOf = new Map(planted.map((bug, index) => [runOf(bug, sound, index, folder.path), bug]));
      const runs: Run[] = chosen.map((scenario) => ({ scenario, build: sound, patienceMs: PATIENCE_MS }));
      const all = Array.from({ length: options.repeat }, () => [...runs, ...bugOf.keys()]).flat();
      const grid = await Grid.start(join(folder.path, `brokers-${nodes}`), nodes);
      try {
        await grid.run(all, options.sideBySide, (run, outcome) => {
          const bug = bugOf.get(run);
          if (bug === undefined) report.scenario(run.scenario, nodes, outcome);
          else report.bug(bug, outcome);
        });
      } finally {
        await grid.stop();
      }
    }
  } finally {
    await folder.remove();
  }
  if (options.json !== undefined) writeResults(report.results, resolve(options.json));
  if (options.records) {
    writeResults(report.results);
    await promisify(execFile)(process.execPath, [...process.execArgv, GENERATOR, PAGE], { cwd: repository });
    say('\nThe results are in tests/conformance/results.json and docs/promises.md.');
  }
  report.totals();
  return report.isGood;
}

/** The scenario that must notice the bug, on a build that has it. */
function runOf(bug: PlantedBug, sound: Build, index: number, folder: string): Run {
  const { name, promise, scenario: title } = bug;
  const scenario = scenarios.find((candidate) => candidate.promise === promise && candidate.title === title);
  if (scenario === undefined) throw new Error(`the planted bug "${name}" names a scenario that is no more`);
  const faulty = buildWith(bug, sound, join(folder, `builds/bug-${index + 1}`));
  return { scenario, build: faulty, patienceMs: PATIENCE_WITH_A_BUG_MS };
}

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { temporaryFolder } from '@millrace/embedded';
import { circumstances } from './measure/machine.ts';
import { HELP, Misuse, type Options, parseOptions } from './options.ts';
import { phases } from './phases/index.ts';
import { createBench } from './phases/phase.ts';
import { htmlPage } from './report/html-page.ts';
import { summaryOf } from './report/summary.ts';
import { publishedResults, readResults, type Results } from './results.ts';
import { WrongBooks } from './systems/system.ts';

const root = resolve(import.meta.dirname, '../..');

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options !== undefined) return await measure(options);
    say(HELP);
    return 0;
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    say(`${error.message}\n\n${HELP}`);
    return 2;
  }
}

async function measure(options: Options): Promise<number> {
  const folder = temporaryFolder('millrace-bench');
  const interrupted = new AbortController();
  const { bench, stopAll } = createBench(folder.path, { options, say, stop: interrupted.signal });
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      say('\nStopping what was started …');
      interrupted.abort(new Error('interrupted'));
      void stopAll()
        .then(() => folder.remove())
        .finally(() => process.exit(code));
    });
  }
  let results: Results = {};
  try {
    for (const name of options.phases) {
      const where = circumstances(options.isQuick);
      const found = await phases[name](bench);
      results = { ...results, [name]: { circumstances: where, found } };
      write(options, results);
      if (options.publishes) publish(results);
    }
  } catch (error) {
    // The services' ends are reported before the signal's handler has ended this process.
    if (interrupted.signal.aborted) return await new Promise<never>(() => {});
    say(error instanceof WrongBooks ? error.message : `The benchmark failed: ${stackOf(error)}`);
    return 1;
  } finally {
    if (!interrupted.signal.aborted) await folder.remove();
  }
  say('');
  say(summaryOf(results));
  return results.growth?.found.isFlat === false ? 1 : 0;
}

/** After each phase, so that nothing that was measured is lost when a later one fails. */
function write({ out }: Options, results: Results): void {
  const dir = resolve(root, out);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(dir, 'report.html'), htmlPage(results));
  say(`  written to ${join(out, 'results.json')} and ${join(out, 'report.html')}`);
}

/** After each phase, too. Phases that were not measured this time keep the result of the last time. */
function publish(results: Results): void {
  const all = { ...readResults(publishedResults), ...results };
  writeFileSync(publishedResults, `${JSON.stringify(all, null, 2)}\n`);
  execFileSync(join(root, 'node_modules/.bin/oxfmt'), [publishedResults]);
  // The generator of all pages; a process of its own, because it imports what generates the others.
  const generator = ['tools/docs/generate.ts', 'docs/performance.md'];
  execFileSync(process.execPath, [...process.execArgv, ...generator], { cwd: root, stdio: 'inherit' });
  say('  published in bench/results/latest.json and docs/performance.md');
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { circumstances } from './measure/machine.ts';
import { HELP, parseOptions } from './options.ts';
import { phases } from './phases/index.ts';
import type { Bench } from './phases/phase.ts';
import { htmlPage } from './report/html-page.ts';
import { summaryOf } from './report/summary.ts';
import { publishedResults, readResults, type Results } from './results.ts';
import { runBench } from './run-bench.ts';

const root = resolve(import.meta.dirname, '../..');

process.exitCode = await runBench(HELP, () => {
  const options = parseOptions(process.argv.slice(2));
  return options && { options, work: measure };
});

async function measure(bench: Bench): Promise<number> {
  const { options, say } = bench;
  let results: Results = {};
  for (const name of options.phases) {
    const where = circumstances(options.isQuick);
    const found = await phases[name](bench);
    results = { ...results, [name]: { circumstances: where, found } };
    write(bench, results);
    if (options.publishes) publish(bench, results);
  }
  say('');
  say(summaryOf(results));
  return results.growth?.found.isFlat === false ? 1 : 0;
}

/** After each phase, so that nothing that was measured is lost when a later one fails. */
function write({ options: { out }, say }: Bench, results: Results): void {
  const dir = resolve(root, out);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(dir, 'report.html'), htmlPage(results));
  say(`  written to ${join(out, 'results.json')} and ${join(out, 'report.html')}`);
}

/** After each phase, too. Phases that were not measured this time keep the result of the last time. */
function publish({ say }: Bench, results: Results): void {
  const all = { ...readResults(publishedResults), ...results };
  writeFileSync(publishedResults, `${JSON.stringify(all, null, 2)}\n`);
  execFileSync(join(root, 'node_modules/.bin/oxfmt'), [publishedResults]);
  // The generator of all pages; a process of its own, because it imports what generates the others.
  const generator = ['tools/docs/generate.ts', 'docs/performance.md'];
  execFileSync(process.execPath, [...process.execArgv, ...generator], { cwd: root, stdio: 'inherit' });
  say('  published in bench/results/latest.json and docs/performance.md');
}

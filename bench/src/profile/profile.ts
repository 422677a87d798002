import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { runBench } from '../run-bench.ts';
import { parseOptions } from '../options.ts';
import type { StatementUse } from '../measure/sql-statements.ts';
import type { Bench } from '../phases/phase.ts';
import { folded } from './cpu-profile.ts';
import { flameGraph } from './flame-graph.ts';
import { parseProfileOptions, PROFILE_HELP, type ProfileOptions } from './options.ts';
import { type ProfiledShop, profiledShop } from './profiled-shop.ts';
import { summarized, summaryText } from './summary.ts';

const root = resolve(import.meta.dirname, '../../..');
const cwd = process.env['INIT_CWD'] ?? process.cwd(); // pnpm runs scripts in the root, wherever it was called

const STATEMENTS = 15;

process.exitCode = await runBench(PROFILE_HELP, () => {
  const options = parseProfileOptions(process.argv.slice(2));
  if (options === undefined) return undefined;
  const load = parseOptions(['--seconds', String(options.seconds), '--customers', String(options.customers)]);
  return load && { options: load, work: (bench) => profile(bench, options) };
});

async function profile(bench: Bench, options: ProfileOptions): Promise<number> {
  const found = await profiledShop(bench, options);
  const dir = resolve(cwd, options.out);
  mkdirSync(dir, { recursive: true });
  const texts = [...found.profiles].map(([service, cpuProfile]) => {
    const tree = folded(cpuProfile, root);
    writeFileSync(join(dir, `${service}.cpuprofile`), JSON.stringify(cpuProfile));
    writeFileSync(join(dir, `${service}.html`), flameGraph(`${service}, ${options.seconds} s under load`, tree));
    return summaryText(service, summarized(cpuProfile, tree));
  });
  const text = [...texts, loadText(found), ...statementsText(found.statements)].join('\n\n');
  writeFileSync(join(dir, 'summary.txt'), `${text}\n`);
  bench.say(`\n${text}\n\nFlame graphs, profiles and this summary are in ${relative(cwd, dir) || '.'}`);
  return 0;
}

function loadText({ ordersPerSecond, cpuMsPerOrder }: ProfiledShop): string {
  const lines = Object.entries(cpuMsPerOrder).map(([name, ms]) => `  ${ms.toFixed(2).padStart(8)} ms  ${name}`);
  return [`${ordersPerSecond} orders/s while profiled; CPU time per order:`, ...lines].join('\n');
}

function statementsText(statements: readonly StatementUse[]): string[] {
  if (statements.length === 0) return [];
  const lines = statements.slice(0, STATEMENTS).map(({ database, ms, calls, rows, text }) => {
    const figures = `${ms.toFixed(0).padStart(8)} ms ${String(calls).padStart(8)} × ${String(rows).padStart(8)} rows`;
    return `  ${figures}  ${database}: ${text.slice(0, 100)}`;
  });
  return [['SQL statements by time:', ...lines].join('\n')];
}

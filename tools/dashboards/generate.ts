// Writes infra/grafana/dashboards from the descriptions beside this file: `generate.ts [--check] [folder]`. With --check it
// only compares.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, type FormatOptions } from 'oxfmt';
import { type Dashboard, toGrafana } from './dashboard.ts';
import { eventFlow } from './event-flow.ts';
import { services } from './services.ts';
import { shop } from './shop.ts';

const dashboards: readonly Dashboard[] = [shop, eventFlow, services];

const root = join(import.meta.dirname, '../..');
const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } });
const folder = positionals[0] ?? join(root, 'infra/grafana/dashboards');
const style = JSON.parse(readFileSync(join(root, '.oxfmtrc.json'), 'utf8')) as FormatOptions;

const wanted = new Map<string, string>();
for (const dashboard of dashboards) {
  const name = `${dashboard.uid}.json`;
  const { code, errors } = await format(name, JSON.stringify(toGrafana(dashboard, dashboards)), style);
  if (errors.length > 0) throw new Error(`${name} cannot be formatted: ${JSON.stringify(errors)}`);
  wanted.set(name, code);
}

const stale = new Set(readdirSync(folder).filter((name) => !wanted.has(name)));
for (const [name, text] of wanted) {
  const file = join(folder, name);
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) stale.add(name);
}

for (const name of stale) {
  const text = wanted.get(name);
  if (values.check) {
    process.stderr.write(
      `${name} is not what tools/dashboards says: run \`pnpm dashboards:generate\` and commit the result\n`,
    );
    process.exitCode = 1;
  } else if (text === undefined) {
    rmSync(join(folder, name));
  } else {
    writeFileSync(join(folder, name), text);
  }
}

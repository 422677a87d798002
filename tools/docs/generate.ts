// Writes the generated parts of the pages between their markers: `generate.ts [--check] [page]`, all pages unless one is named.
// With --check it only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, type FormatOptions } from 'oxfmt';
import { performancePart } from '../../bench/src/report/performance-part.ts';
import { publishedResults, readResults } from '../../bench/src/results.ts';
import { promisesPart } from '../../tests/conformance/page.ts';
import { metricsTable } from './metrics.ts';
import { sections } from './sections.ts';
import { consumerGroups } from './service-map.ts';

const root = join(import.meta.dirname, '../..');
const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } });
const pages =
  positionals.length > 0
    ? positionals
    : ['ARCHITECTURE.md', 'docs/metrics.md', 'docs/performance.md', 'docs/promises.md'].map((page) => join(root, page));
const parts = new Map([
  ...sections(await consumerGroups(root)),
  ['metrics', metricsTable(root)],
  ['performance', performancePart(readResults(publishedResults))],
  ['promises', promisesPart()],
]);
const PART = /(<!-- generated:([a-z-]+) -->\n)[\s\S]*?(<!-- \/generated:\2 -->)/g;
const style = JSON.parse(readFileSync(join(root, '.oxfmtrc.json'), 'utf8')) as FormatOptions;

const placed = new Set<string>();
for (const page of pages) {
  const before = readFileSync(page, 'utf8');
  const filled = before.replace(PART, (_, open: string, name: string, close: string) => {
    const text = parts.get(name);
    if (text === undefined) throw new Error(`${page} has a place for "${name}", which nothing generates`);
    placed.add(name);
    return `${open}\n${text}\n\n${close}`;
  });
  // The formatter would align the generated tables at the next run: they are written the way it leaves them.
  const { code: after, errors } = await format(basename(page), filled, style);
  if (errors.length > 0) throw new Error(`the filled page cannot be formatted: ${JSON.stringify(errors)}`);
  if (after !== before && values.check) {
    process.stderr.write(
      `${basename(page)} is not what the code says: run \`pnpm docs:generate\` and commit the result\n`,
    );
    process.exitCode = 1;
  } else if (after !== before) {
    writeFileSync(page, after);
  }
}
if (positionals.length === 0) {
  for (const name of parts.keys()) {
    if (!placed.has(name)) throw new Error(`no page has a place for the generated part "${name}"`);
  }
}

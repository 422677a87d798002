// Writes the generated parts of a page between their markers: `generate.ts [--check] [page]`, ARCHITECTURE.md unless said
// otherwise. With --check it only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, type FormatOptions } from 'oxfmt';
import { sections } from './sections.ts';
import { consumerGroups } from './service-map.ts';

const root = join(import.meta.dirname, '../..');
const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } });
const page = positionals[0] ?? join(root, 'ARCHITECTURE.md');

const before = readFileSync(page, 'utf8');
let filled = before;
for (const [name, text] of sections(await consumerGroups(root))) {
  const part = new RegExp(`(<!-- generated:${name} -->\n)[\\s\\S]*?(<!-- /generated:${name} -->)`);
  if (!part.test(filled)) throw new Error(`${page} has no place for the generated part "${name}"`);
  filled = filled.replace(part, (_, open: string, close: string) => `${open}\n${text}\n\n${close}`);
}

// The formatter would align the generated tables at the next run: they are written the way it leaves them.
const style = JSON.parse(readFileSync(join(root, '.oxfmtrc.json'), 'utf8')) as FormatOptions;
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

// Writes the generated parts of ARCHITECTURE.md between their markers; with --check it only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sections } from './sections.ts';
import { consumerGroups } from './service-map.ts';

const root = join(import.meta.dirname, '../..');
const page = join(root, 'ARCHITECTURE.md');
const before = readFileSync(page, 'utf8');
let after = before;
for (const [name, text] of sections(await consumerGroups(root))) {
  const part = new RegExp(`(<!-- generated:${name} -->\n)[\\s\\S]*?(<!-- /generated:${name} -->)`);
  if (!part.test(after)) throw new Error(`ARCHITECTURE.md has no place for the generated part "${name}"`);
  after = after.replace(part, (_, open: string, close: string) => `${open}\n${text}\n\n${close}`);
}
if (process.argv.includes('--check')) {
  if (after !== before) {
    process.stderr.write('ARCHITECTURE.md is not what the code says: run `pnpm docs:generate` and commit the result\n');
    process.exitCode = 1;
  }
} else if (after !== before) {
  writeFileSync(page, after);
}

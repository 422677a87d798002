// What names may not say: folders that mean anything, specs that do not tell their level. `node tools/lint/tree.mjs [root]`
// lists what it refuses and exits 1; it looks at what a clone holds, not at what was installed or built.
import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const root = process.argv[2] ?? join(import.meta.dirname, '../..');

const notOurs = new Set(['.git', '.millrace', '.turbo', 'coverage', 'dist', 'generated', 'node_modules']);

// If a thing has no better home, it is not understood yet.
const homeless = new Set(['common', 'shared', 'utils', 'util', 'core', 'helpers', 'misc']);

const isSpec = /\.(spec|test)\.[cm]?[jt]sx?$/;
const tellsItsLevel = /\.(unit|contract|int|component|e2e|compose)\.spec\.ts$/;

function* refusedIn(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const name = relative(root, path).split(sep).join('/');
    if (entry.isDirectory() && !notOurs.has(entry.name)) {
      if (homeless.has(entry.name)) yield `${name}: a folder is named after a thing of the business or a technique`;
      yield* refusedIn(path);
    } else if (entry.isFile() && isSpec.test(entry.name) && !tellsItsLevel.test(entry.name)) {
      yield `${name}: a spec tells its level: .unit, .contract, .int, .component, .e2e or .compose before .spec.ts`;
    }
  }
}

const refused = [...refusedIn(root)];
for (const line of refused) process.stdout.write(`${line}\n`);
process.exitCode = refused.length === 0 ? 0 : 1;

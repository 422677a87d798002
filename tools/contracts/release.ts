// Keeps the present contracts as a release: `release.ts <version>`. Writes libs/contracts/released/<version> and refuses to overwrite.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { snapshotOf } from '../../libs/contracts/src/compatibility/index.ts';
import { storiesOf } from '../../libs/contracts/src/fixtures/stories.ts';
import { releasesFolder } from '../../libs/contracts/src/fixtures/goldens.ts';
import { catalogue } from '../../libs/contracts/src/index.ts';
import { json, write } from './files.ts';
import { schemaFiles } from './schema-files.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { releases: { type: 'string' } } });
const [version = ''] = positionals;
const folder = join(values.releases ?? releasesFolder, version);

if (!/^\d+\.\d+\.\d+$/.test(version)) stop('say which version, such as 0.2.0', 2);
else if (existsSync(folder))
  stop(`${version} is released: what others rely on is never written again. Take the next version`, 1);
else {
  const { headers, messages } = snapshotOf(catalogue);
  const stories = storiesOf(version);
  const missing = messages.filter(
    ({ isSaid, wireType }) => isSaid && !stories.some((record) => record.headers['ce_type'] === wireType),
  );
  if (missing.length > 0) {
    stop(`no story says ${missing.map(({ wireType }) => wireType).join(', ')}: add it to fixtures/stories.ts`, 1);
  } else {
    const released = new Date().toISOString().slice(0, 10);
    write(join(folder, 'release.json'), await json({ released, support: 'full', headers }));
    write(join(folder, 'goldens.json'), await json(stories));
    for (const [name, text] of await schemaFiles(messages)) write(join(folder, 'schemas', name), text);
    process.stdout.write(`released ${version}: ${messages.length} messages, ${stories.length} golden records\n`);
  }
}

function stop(why: string, exitCode: number): void {
  process.stderr.write(`${why}\n`);
  process.exitCode = exitCode;
}

// Says how much of a release is still out there: `support.ts <version> full|messages|none`, as the gate has to know.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { releasesFolder } from '../../libs/contracts/src/fixtures/goldens.ts';
import { json, write } from './files.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { releases: { type: 'string' } } });
const [version = '', support = ''] = positionals;
const file = join(values.releases ?? releasesFolder, version, 'release.json');

if (version === '' || !['full', 'messages', 'none'].includes(support) || !existsSync(file)) {
  process.stderr.write(
    'say which release, and full (builds of it may run), messages (its messages may wait) or none\n',
  );
  process.exitCode = 2;
} else {
  const facts = JSON.parse(readFileSync(file, 'utf8')) as object;
  write(file, await json({ ...facts, support }));
  process.stdout.write(`${version}: ${support}\n`);
}

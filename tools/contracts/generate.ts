// Writes what is made of the contracts: their schemas, an AsyncAPI document per service, and the page to browse them.
// `generate.ts [--check]`: with --check it only compares.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { snapshotOf } from '../../libs/contracts/src/compatibility/index.ts';
import { storiesOf } from '../../libs/contracts/src/fixtures/stories.ts';
import { releases } from '../../libs/contracts/src/fixtures/goldens.ts';
import { catalogue } from '../../libs/contracts/src/index.ts';
import { asyncApi } from './async-api.ts';
import { cataloguePage } from './catalogue-page.ts';
import { formatted, json, keepFolder, root } from './files.ts';
import { schemaFiles } from './schema-files.ts';
import { talks } from './speakers.ts';

const { values } = parseArgs({ options: { check: { type: 'boolean' } } });
const known = releases();
const version = known.at(-1)?.version ?? '0.0.0';
const stories = storiesOf('example');
const services = await talks(root);
const documents = await Promise.all(
  services.map(async (talk) => [`${talk.service}.json`, await json(asyncApi(talk, version, stories))] as const),
);
const page = cataloguePage({ present: snapshotOf(catalogue), releases: known, talks: services, stories });

const isCheck = values.check === true;
const stale = [
  ...keepFolder(join(root, 'libs/contracts/schemas'), await schemaFiles(), isCheck),
  ...keepFolder(join(root, 'docs/asyncapi'), new Map(documents), isCheck),
  ...keepFolder(join(root, 'docs/events'), new Map([['index.html', await formatted('index.html', page)]]), isCheck),
];
if (isCheck && stale.length > 0) {
  process.stderr.write(
    `${stale.join(', ')}: not what the contracts say: run \`pnpm contracts:generate\` and commit the result\n`,
  );
  process.exitCode = 1;
}

import { join, relative, resolve } from 'node:path';
import { Misuse, runMillrace, type Surroundings } from '@millrace/cli';
import { readShopFile } from '../shop-file.ts';
import { services, topicsHeard } from '../services.ts';

// Where `demo` keeps its data unless told otherwise.
const DEMO_FOLDER = join(import.meta.dirname, '..', '..', '..', '..', '.millrace', 'demo');

const cwd = process.env['INIT_CWD'] ?? process.cwd(); // pnpm runs scripts in the root, wherever it was called

process.exit(await runMillrace(process.argv.slice(2), { services, groups: topicsHeard }, locate));

/** The shop of a folder that was named, else of the environment, else of the demo. */
function locate(folder: string | undefined): Surroundings {
  if (folder !== undefined) {
    const found = shopIn(resolve(cwd, folder));
    if (found !== undefined) return found;
    throw new Misuse(`No shop runs in ${folder}. Name the folder that the demo was started with (--dir), or none.`);
  }
  const { KAFKA_BROKERS: brokers = '', KAFKA_TOPIC_PREFIX: topicPrefix = '' } = process.env;
  if (brokers !== '') {
    return { brokers: brokers.split(','), databases: databasesOfEnvironment(), topicPrefix, from: 'the environment' };
  }
  const demo = shopIn(DEMO_FOLDER);
  if (demo !== undefined) return demo;
  throw new Misuse(
    'No shop was found. Start one (npx -y pnpm@12 demo), name the folder of one (--shop FOLDER), ask in the containers\n' +
      '(docker compose run --rm millrace …), or set KAFKA_BROKERS and <SERVICE>_DATABASE_URL.',
  );
}

function shopIn(folder: string): Surroundings | undefined {
  const shop = readShopFile(folder);
  if (shop === undefined) return undefined;
  const { brokers, databases } = shop;
  return { brokers, databases, topicPrefix: '', from: `the demo in ${relative(cwd, folder) || '.'}` };
}

function databasesOfEnvironment(): Record<string, string | undefined> {
  const urls = services.map((service) => [service, process.env[`${service.toUpperCase()}_DATABASE_URL`] || undefined]);
  return Object.fromEntries(urls) as Record<string, string | undefined>;
}

// pnpm compose:memory [--limit GiB] [--project NAME]: the memory of every container of the running shop, as `docker stats` counts it
// (without what the kernel could take back at once). Exits 1 when all together need more than the limit, 2 when nothing is running.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const MIB = 1024 ** 2;
const UNITS = { B: 1, KiB: 1024, MiB: MIB, GiB: 1024 ** 3 };

const { values } = parseArgs({
  options: { limit: { type: 'string', default: '3' }, project: { type: 'string', default: 'millrace' } },
});
const limitMiB = Number(values.limit) * 1024;
if (!(limitMiB > 0)) fail(`--limit ${values.limit}: expected GiB, such as 3`);

const compose = [
  'compose',
  '--file',
  join(import.meta.dirname, '../../docker-compose.yml'),
  '--project-name',
  values.project,
];
const ids = docker([...compose, '--profile', '*', 'ps', '--quiet'])
  .split('\n')
  .filter(Boolean);
if (ids.length === 0)
  fail(`No container of the project ${values.project} is running. Start it: docker compose up --wait`);

const rows = docker(['stats', '--no-stream', '--format', 'json', ...ids])
  .split('\n')
  .filter(Boolean)
  .map((line) => {
    const { Name, MemUsage } = JSON.parse(line);
    const [used, limit] = MemUsage.split(' / ').map(mebibytes);
    return { name: Name, used, limit };
  })
  .toSorted((a, b) => b.used - a.used);
const sum = rows.reduce((total, { used }) => total + used, 0);
const width = Math.max(...rows.map(({ name }) => name.length));

print('container', 'MiB', 'of at most');
for (const { name, used, limit } of rows) print(name, used.toFixed(0), limit.toFixed(0));
print(`${rows.length} containers`, sum.toFixed(0), limitMiB.toFixed(0));
if (sum > limitMiB) {
  console.error(`That is more than ${values.limit} GiB.`);
  process.exitCode = 1;
}

function print(name, ...numbers) {
  console.log(name.padEnd(width), ...numbers.map((number) => String(number).padStart(10)));
}

/** `docker stats` writes such as 96.5MiB or 1.2GiB. */
function mebibytes(text) {
  const [, digits, unit] = /^([\d.]+)(B|KiB|MiB|GiB)$/.exec(text) ?? [];
  if (unit === undefined) fail(`docker stats said ${text}, which is no amount of memory.`);
  return (Number(digits) * UNITS[unit]) / MIB;
}

function docker(args) {
  try {
    return execFileSync('docker', args, { encoding: 'utf8' });
  } catch (error) {
    return fail(`docker ${args.join(' ')} failed: ${error.message}`);
  }
}

function fail(message) {
  console.error(message);
  process.exit(2);
}

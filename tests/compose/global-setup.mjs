// Builds and pulls every image once for all compose tests; says so before anything else when there is no engine to do it with.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const composeFile = join(import.meta.dirname, '../../docker-compose.yml');

export default function prepareImages() {
  process.stderr.write(`\n${engine()}: building and pulling images\n`);
  const startMs = performance.now();
  const all = ['compose', '--file', composeFile, '--profile', '*'];
  execFileSync('docker', [...all, 'build', '--quiet'], { stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync('docker', [...all, 'pull', '--ignore-buildable', '--policy', 'missing', '--quiet'], {
    stdio: 'inherit',
  });
  process.stderr.write(`images are there after ${Math.round((performance.now() - startMs) / 1000)} s\n`);
}

function engine() {
  const ask = (...args) => execFileSync('docker', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    return `Docker engine ${ask('info', '--format', '{{.ServerVersion}}')}, compose ${ask('compose', 'version', '--short')}`;
  } catch (error) {
    const reason = String(error.stderr ?? '').trim() || error.message;
    throw new Error(
      `No Docker engine with compose answers (${reason}). Start one, then run this again; \`pnpm test\` needs none.`,
    );
  }
}

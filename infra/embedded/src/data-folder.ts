import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLineOf } from './child.ts';
import { codeOf } from './error-code.ts';

/** The folder, ignored by git, in which everything that can be rebuilt or thrown away is kept. */
export const stateFolder = join(import.meta.dirname, '..', '..', '..', '.millrace');

// A lock that old belongs to a process id that was given to another program since: no download takes as long.
const ABANDONED_LOCK_MS = 10 * 60_000;

/** Writes down which server works in a data folder, and which process (this one) answers for it. */
export function noteServer(pidFile: string, serverPid: number): void {
  writeFileSync(pidFile, `${serverPid} ${process.pid}\n`);
}

/**
 * Makes sure that no server works in a data folder. One whose parent has died is ended; one whose parent lives belongs to
 * another running instance, which is an error. A server is recognised by its command line, never by its process id alone.
 */
export async function endLeftoverServer(
  pidFile: string,
  partOfCommandLine: string,
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<void> {
  const [server = 0, owner = 0] = existsSync(pidFile) ? readFileSync(pidFile, 'utf8').split(' ').map(Number) : [];
  if (server === 0) return;
  const isThere = async () => (await commandLineOf(server))?.includes(partOfCommandLine) ?? false;
  for (const end = Date.now() + 10_000; await isThere(); await sleep(20)) {
    if (await isAlive(owner)) {
      throw new Error(`${dirname(pidFile)} is in use by another running instance (process ${owner}). Stop it first.`);
    }
    if (Date.now() > end) throw new Error(`Process ${server}, left over in ${dirname(pidFile)}, cannot be ended.`);
    try {
      process.kill(server, signal);
    } catch {
      return; // it ended in the meantime
    }
  }
}

async function isAlive(pid: number): Promise<boolean> {
  return (await commandLineOf(pid)) !== undefined;
}

/** Runs `work` while no other process of this machine runs its own under the same lock file. A dead holder's lock is taken over. */
export async function withLock<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(lockFile), { recursive: true });
  while (!tryLock(lockFile)) {
    if (await isAbandoned(lockFile)) rmSync(lockFile, { force: true });
    else await sleep(100);
  }
  try {
    return await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function tryLock(lockFile: string): boolean {
  try {
    const fd = openSync(lockFile, 'wx');
    writeSync(fd, String(process.pid));
    closeSync(fd);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function isAbandoned(lockFile: string): Promise<boolean> {
  try {
    const holder = Number(readFileSync(lockFile, 'utf8'));
    const ageMs = Date.now() - statSync(lockFile).mtimeMs;
    // An empty file is a lock whose holder is just about to write its id.
    return ageMs > ABANDONED_LOCK_MS || (holder > 0 && !(await isAlive(holder)));
  } catch {
    return false; // released between two looks
  }
}

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandLineOf } from '../child.ts';
import { codeOf } from '../error-code.ts';

/** Another running process works in the folder. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
  readonly dir: string;
  readonly pid: number;

  constructor(dir: string, pid: number) {
    super(`${dir} is in use by process ${pid}. Stop it first, or choose another folder.`);
    this.dir = dir;
    this.pid = pid;
  }
}

/**
 * Makes this process the only one that works in a folder, until the returned function is called. The claim of a process
 * that has died is taken over. @throws {FolderInUse}
 */
export async function claimFolder(dir: string): Promise<() => void> {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'claim');
  // With its command line, or a process id that was given to another program since would look like the owner.
  const claim = `${process.pid} ${await commandLineOf(process.pid)}`;
  while (!write(file, claim)) {
    const [pid, commandLine] = split(read(file));
    if ((await commandLineOf(pid)) === commandLine) throw new FolderInUse(dir, pid);
    rmSync(file, { force: true });
  }
  return () => rmSync(file, { force: true });
}

function write(file: string, claim: string): boolean {
  try {
    writeFileSync(file, claim, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // given up between two looks
  }
}

function split(claim: string): [pid: number, commandLine: string] {
  const [pid = ''] = claim.split(' ', 1);
  return [Number(pid), claim.slice(pid.length + 1)];
}

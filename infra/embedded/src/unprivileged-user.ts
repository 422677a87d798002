import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { capture } from './child.ts';

/** How to run a program that refuses to be run by root. */
export interface UnprivilegedUser {
  readonly uid: number;
  readonly gid: number;
  /** The program and arguments that run `command` as this user, where `uid` and `gid` alone would not reach its files. */
  wrap(command: string, args: readonly string[]): { command: string; args: string[]; isWrapped: boolean };
}

/**
 * The system's user `postgres`, else `nobody`; undefined when this process is not root and needs no other user. A clone
 * below root's home, or in any folder closed to others, is out of that user's reach: then the program keeps the one right
 * to pass through closed folders (CAP_DAC_OVERRIDE, which containers have too), and no other right of root.
 */
export async function unprivilegedUser(paths: readonly string[]): Promise<UnprivilegedUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const { uid, gid } = (await idsOf('postgres')) ?? (await idsOf('nobody')) ?? {};
  if (uid === undefined || gid === undefined) {
    throw new Error('PostgreSQL refuses to run as root, and there is neither a user "postgres" nor a user "nobody".');
  }
  const isInReach = paths.every((path) => isReachable(path, uid));
  return {
    uid,
    gid,
    wrap: (command, args) => {
      if (isInReach) return { command, args: [...args], isWrapped: false };
      const user = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
      const right = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
      return { command: 'setpriv', args: [...user, ...right, command, ...args], isWrapped: true };
    },
  };
}

async function idsOf(name: string): Promise<{ uid: number; gid: number } | undefined> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => capture('id', [flag, name])));
  const ids = { uid: Number.parseInt(uid ?? '', 10), gid: Number.parseInt(gid ?? '', 10) };
  return Number.isNaN(ids.uid) || Number.isNaN(ids.gid) ? undefined : ids;
}

function isReachable(path: string, uid: number): boolean {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (existsSync(folder)) {
      const { mode, uid: owner } = statSync(folder);
      const passBit = owner === uid ? 0o100 : 0o001;
      if ((mode & passBit) === 0) return false;
    }
    if (folder === dirname(folder)) return true;
  }
}

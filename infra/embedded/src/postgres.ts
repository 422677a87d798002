import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { capture, commandLineOf, type Child, type Exit } from './child.ts';
import { endLeftoverServer, noteServer } from './data-folder.ts';
import { freePort, isPortInUse } from './free-port.ts';
import { findPostgres, type PostgresProgram } from './postgres-program.ts';

export interface PostgresOptions {
  /** The data folder: created when missing, kept when stopped, used by one server at a time. */
  readonly dir: string;
  /** 0 (unless told) takes a free one. */
  readonly port?: number;
  /** Deletes the data folder first. */
  readonly fresh?: boolean;
  readonly timeoutMs?: number;
  /** Hears of a server that ended although nobody asked it to. */
  readonly onExit?: (exit: Exit, lastLines: string) => void;
  /** Hears what takes its time. */
  readonly log?: (line: string) => void;
}

export interface PostgresServer {
  readonly port: number;
  readonly pid: number;
  /** Connects the superuser to the database `postgres`. */
  readonly superuserUrl: string;
  /** The address of a database for a role; the superuser unless told. */
  url(database: string, role?: { readonly name: string; readonly password: string }): string;
  /** Ends open transactions by rollback, writes everything to the disk and ends; may be called twice. The data stays. */
  stop(): Promise<void>;
  /** Kills the server and all of its processes at once, as a crash would. What was committed is there after `start`. */
  kill(): Promise<void>;
  /** Starts a stopped or killed server again on its port and its data; resolves when it accepts connections. */
  start(): Promise<void>;
}

// The server listens on 127.0.0.1 only and holds nothing but the data of demos and tests.
const SUPERUSER = { name: 'postgres', password: 'millrace' };

// A fast shutdown under load writes what is dirty, which takes seconds on a slow disk.
const STOP_TIMEOUT_MS = 20_000;
const ATTEMPTS_WITH_FREE_PORTS = 3;

/**
 * Starts PostgreSQL 18 on 127.0.0.1, durable as by default, and resolves when it accepts connections. It ends with this
 * process, however that ends; the caller stops it in good order with `stop`. Rejects, with nothing left running, when the
 * port is taken, the folder in use, or the server dies (with its last log lines).
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { port = 0, fresh = false, log = () => {} } = options;
  const dir = resolve(options.dir);
  const dataFolder = join(dir, 'data');
  await endLeftoverServer(join(dir, 'pid'), dataFolder, 'SIGQUIT');
  if (fresh) rmSync(dir, { recursive: true, force: true });
  if (port !== 0 && (await isPortInUse(port))) {
    throw new Error(`Port ${port}, wanted for PostgreSQL, is in use. Stop its user or choose another.`);
  }
  mkdirSync(dir, { recursive: true });
  const program = await findPostgres(dataFolder);
  if (!existsSync(dataFolder)) log('creating the PostgreSQL data folder');
  await program.initialise(SUPERUSER.name, SUPERUSER.password);
  for (let attempt = 1; ; attempt++) {
    const server = createServer(program, dir, port === 0 ? await freePort() : port, options);
    try {
      await server.start();
      return server;
    } catch (error) {
      // Between the choice of a free port and its use another program was faster.
      const isPortLost = error instanceof Error && error.message.includes('could not bind');
      if (!isPortLost || port !== 0 || attempt === ATTEMPTS_WITH_FREE_PORTS) throw error;
    }
  }
}

function createServer(program: PostgresProgram, dir: string, port: number, options: PostgresOptions): PostgresServer {
  const { timeoutMs = 60_000, onExit } = options;
  const statusFile = join(dir, 'data', 'postmaster.pid');
  let child: Child | undefined;
  // Between ready and asked to end: an end in this time is news.
  let isInService = false;

  async function start(): Promise<void> {
    if (child?.isRunning()) throw new Error('PostgreSQL is running already.');
    const started = await program.run(port, join(dir, 'server.log'));
    child = started;
    noteServer(join(dir, 'pid'), started.pid);
    void started.exited.then((exit) => {
      if (isInService) onExit?.(exit, started.lastLines());
    });
    for (const end = Date.now() + timeoutMs; !isReady(started.pid); await sleep(10)) {
      if (!started.isRunning())
        throw new Error(`PostgreSQL died at its start. Its last words:\n${started.lastLines()}`);
      if (Date.now() > end) {
        await started.stop('SIGQUIT', STOP_TIMEOUT_MS);
        throw new Error(`PostgreSQL is not ready after ${timeoutMs} ms. Its log ends:\n${started.lastLines()}`);
      }
    }
    isInService = true;
  }

  /** The server writes its own id in the first line and its state in the eighth; a crashed one leaves both behind. */
  function isReady(pid: number): boolean {
    if (!existsSync(statusFile)) return false;
    const lines = readFileSync(statusFile, 'utf8').split('\n');
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
  }

  async function kill(): Promise<void> {
    isInService = false;
    if (!child?.isRunning()) return;
    child.kill('SIGSTOP'); // or it could start another process behind the list of them
    const family = await childrenOf(child.pid);
    await child.stop('SIGKILL', STOP_TIMEOUT_MS);
    for (const pid of family) killIfThere(pid);
    // A new server refuses to start as long as one of the old processes holds the shared memory.
    for (const pid of family) while ((await commandLineOf(pid))?.startsWith('postgres')) await sleep(5);
  }

  function url(database: string, role: { name: string; password: string } = SUPERUSER): string {
    const [name, password, path] = [role.name, role.password, database].map(encodeURIComponent);
    return `postgresql://${name}:${password}@127.0.0.1:${port}/${path}`;
  }

  return {
    port,
    get pid() {
      return child?.pid ?? 0;
    },
    superuserUrl: url('postgres'),
    url,
    async stop() {
      isInService = false;
      await child?.stop('SIGINT', STOP_TIMEOUT_MS);
    },
    kill,
    start,
  };
}

async function childrenOf(pid: number): Promise<number[]> {
  const linuxList = `/proc/${pid}/task/${pid}/children`;
  if (existsSync(linuxList)) return readFileSync(linuxList, 'utf8').trim().split(' ').map(Number);
  const output = await capture('ps', ['-A', '-o', 'ppid=,pid=']);
  const pairs = output.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.filter(([parent]) => parent === pid).map(([, child = 0]) => child);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It followed its parent already.
  }
}

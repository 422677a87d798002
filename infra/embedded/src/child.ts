import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { Socket } from 'node:net';

/** How a process ended: its exit code, or the signal that ended it. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that never outlives this one, however this one ends. */
export interface Child {
  readonly pid: number;
  /** Resolves once when the process has ended; never rejects. */
  readonly exited: Promise<Exit>;
  isRunning(): boolean;
  /** Sends a signal and does not wait; no effect on a process that has ended. */
  kill(signal: NodeJS.Signals): void;
  /** Does to the process and those it started what would be done if this process died. */
  abandon(): void;
  /** Sends the signal, waits for the end, and resorts to SIGKILL after `timeoutMs`. */
  stop(signal: NodeJS.Signals, timeoutMs: number): Promise<Exit>;
  /** The last lines this process wrote, for error messages. */
  lastLines(): string;
}

export interface ChildOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Standard output and standard error are appended to this file. */
  readonly logFile: string;
  /** The user and group to run as; only root may change them. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** What the process gets when its parent dies without having stopped it. */
  readonly orphanSignal?: 'KILL' | 'QUIT';
}

// Every process that was started here and has not ended.
const living = new Set<Child>();
let mayStart = true;
const { promise: allEnded, reject: tellAllEnded } = Promise.withResolvers<never>();
allEnded.catch(() => {}); // nobody may be waiting

/** Resolves and rejects like `work`, but rejects as well when `endAllChildren` has left nothing to work with. */
export function unlessAllEnded<T>(work: Promise<T>): Promise<T> {
  return Promise.race([work, allEnded]);
}

/**
 * Ends every process that was started here, at once and in no order, and refuses to start more: for the moment when this
 * process was told to end in the middle of something. Resolves when all have ended.
 */
export async function endAllChildren(): Promise<void> {
  mayStart = false;
  const all = [...living];
  for (const child of all) child.abandon();
  await Promise.all(all.map(({ exited }) => exited));
  tellAllEnded(new Error('Everything was ended.'));
}

// Enough for the stack trace that explains a failed start, short enough to be read in a terminal.
const LAST_LINES_BYTES = 2_500;

/**
 * Starts a process in a session of its own, so that Ctrl-C in a terminal reaches the parent only and the parent decides
 * in which order things stop. Rejects when the program cannot be started (code ENOENT: it is not installed).
 */
export async function startChild(command: string, args: readonly string[], options: ChildOptions): Promise<Child> {
  const { cwd, env, logFile, user, orphanSignal = 'KILL' } = options;
  if (!mayStart) throw new Error(`${command} is not started any more: everything is being ended.`);
  const log = openSync(logFile, 'a');
  const logStart = fstatSync(log).size;
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', log, log], detached: true, ...user });
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) {
    await once(child, 'spawn'); // rejects with what is wrong with the program
    throw new Error(`${command} was started without a process id.`);
  }
  const forget = whenOrphaned('kill -s "$1" "$2"', [orphanSignal, String(pid)]);
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      forget();
      resolve({ code, signal });
    });
  });

  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const kill = (signal: NodeJS.Signals) => {
    if (isRunning()) child.kill(signal);
  };
  const started: Child = {
    pid,
    exited,
    isRunning,
    kill,
    abandon() {
      try {
        process.kill(-pid, `SIG${orphanSignal}`);
      } catch {
        // The whole group has ended.
      }
    },
    async stop(signal, timeoutMs) {
      kill(signal);
      const lastResort = setTimeout(() => kill('SIGKILL'), timeoutMs);
      try {
        return await exited;
      } finally {
        clearTimeout(lastResort);
      }
    },
    lastLines: () => tail(logFile, logStart),
  };
  living.add(started);
  void exited.then(() => living.delete(started));
  return started;
}

/** The command line of any process of this machine, or undefined when no such process exists. */
export async function commandLineOf(pid: number): Promise<string | undefined> {
  if (existsSync('/proc/self/cmdline')) {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() || undefined;
    } catch {
      return undefined; // no entry: no such process
    }
  }
  const output = await capture('ps', ['-o', 'args=', '-p', String(pid)]);
  return output.trim() || undefined;
}

/** Runs a short command to its end and returns what it wrote to standard output and standard error, whatever its exit code. */
export function capture(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: Buffer) => (output += chunk.toString('utf8'));
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', reject);
    child.once('close', () => resolve(output));
  });
}

/**
 * Runs a shell command if this process ends, in any way, before the returned function was called: a shell waits on a pipe
 * that only this process holds, and that closes even after SIGKILL. Exit hooks and signal handlers could not promise
 * that, and would get in the way of those of the program this is used in.
 */
export function whenOrphaned(command: string, args: readonly string[]): () => void {
  const shell = spawn('/bin/sh', ['-c', `read -r line || { ${command}; }`, 'when-orphaned', ...args], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.unref();
  const pipe = shell.stdin;
  if (pipe instanceof Socket) pipe.unref();
  pipe.on('error', () => {}); // somebody else killed the shell: there is nobody left to tell
  return () => pipe.end('ended\n');
}

function tail(file: string, start: number): string {
  const fd = openSync(file, 'r');
  try {
    const end = fstatSync(fd).size;
    const from = Math.max(start, end - LAST_LINES_BYTES);
    const bytes = Buffer.alloc(Math.max(0, end - from));
    readSync(fd, bytes, 0, bytes.length, from);
    return bytes.toString('utf8').trim();
  } finally {
    closeSync(fd);
  }
}

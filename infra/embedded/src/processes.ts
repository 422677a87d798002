import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild, type Exit } from './child.ts';

export interface ServiceOptions {
  /** How error messages call it. */
  readonly name: string;
  readonly cwd: string;
  /** Arguments of Node: its own options, then the file to run. */
  readonly args: readonly string[];
  /** All that the service knows of its environment, besides PATH, HOME and TMPDIR. */
  readonly env: Readonly<Record<string, string>>;
  /** Gets standard output and standard error; its folder is created, an existing file continued. */
  readonly logFile: string;
  /** Hears of a service that ended although nobody asked it to. */
  readonly onExit?: (exit: Exit, lastLines: string) => void;
}

export interface ServiceHandle {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<Exit>;
  /** The last lines the service wrote. */
  lastLines(): string;
  /** Ends it by SIGKILL unless told otherwise, and resolves when it has ended. */
  kill(signal?: NodeJS.Signals): Promise<Exit>;
  /** Asks by SIGTERM, resorts to SIGKILL after `timeoutMs`; may be called twice. */
  stop(timeoutMs?: number): Promise<Exit>;
}

// Longer than a service takes by its own limits to finish a batch, leave its group and drain its relay.
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 50;

/** Starts one Node process that ends with this one, however this one ends. It runs when this resolves; it is not ready yet. */
export async function startService(options: ServiceOptions): Promise<ServiceHandle> {
  const { name, cwd, args, logFile, onExit } = options;
  const { PATH, HOME, TMPDIR } = process.env;
  mkdirSync(dirname(logFile), { recursive: true });
  const child = await startChild(process.execPath, args, { cwd, env: { PATH, HOME, TMPDIR, ...options.env }, logFile });
  let isAskedToEnd = false;
  void child.exited.then((exit) => {
    if (!isAskedToEnd) onExit?.(exit, child.lastLines());
  });
  const end = (signal: NodeJS.Signals, timeoutMs: number) => {
    isAskedToEnd = true;
    return child.stop(signal, timeoutMs);
  };
  return {
    name,
    pid: child.pid,
    logFile,
    exited: child.exited,
    lastLines: () => child.lastLines(),
    kill: (signal = 'SIGKILL') => end(signal, STOP_TIMEOUT_MS),
    stop: (timeoutMs = STOP_TIMEOUT_MS) => end('SIGTERM', timeoutMs),
  };
}

/**
 * Resolves when the address answers with a 2xx status. Rejects at once when the service dies, and after `timeoutMs` with
 * what it answered last; both with its last log lines.
 */
export async function waitUntilReady(
  url: string,
  { timeoutMs, handle }: { readonly timeoutMs: number; readonly handle: ServiceHandle },
): Promise<void> {
  let ended: Exit | undefined;
  void handle.exited.then((exit) => (ended = exit));
  let answer = 'nothing';
  for (const end = Date.now() + timeoutMs; ; await sleep(POLL_MS)) {
    // Another program may answer at this address while the service is dying of it.
    const isReady = await fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
      async (response) => {
        answer = `${response.status} ${await response.text()}`;
        return response.ok;
      },
      (error: unknown) => {
        answer = `no connection (${error instanceof Error ? error.message : String(error)})`;
        return false;
      },
    );
    if (ended) {
      const how = ended.signal === null ? `exit code ${ended.code}` : ended.signal;
      throw new Error(`${handle.name} ended with ${how} before it was ready.\n${logOf(handle)}`);
    }
    if (isReady) return;
    if (Date.now() > end) {
      throw new Error(
        `${handle.name} is not ready after ${timeoutMs} ms; ${url} answered: ${answer}\n${logOf(handle)}`,
      );
    }
  }
}

function logOf(handle: ServiceHandle): string {
  return `The end of ${handle.logFile}:\n${handle.lastLines()}`;
}

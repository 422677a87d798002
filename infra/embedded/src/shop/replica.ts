import type { ServiceName } from '@millrace/shop';
import type { Exit } from '../child.ts';
import { startService, waitUntilReady, type ServiceHandle } from '../processes.ts';
import { serviceEntry, serviceFolder } from './services.ts';

/** One process of a service: it can end and come back on its port, as often as a test likes. */
export interface Replica {
  readonly service: ServiceName;
  /** 1 for the first. */
  readonly number: number;
  /** Where its HTTP API is, without a slash at the end. */
  readonly url: string;
  readonly logFile: string;
  /** 0 before the first start. */
  readonly pid: number;
  isRunning(): boolean;
  /** Resolves when the process that runs now has ended; never rejects. */
  exited(): Promise<Exit>;
  /** Starts it; it is not ready yet. `env` is added to its environment for this one life. */
  start(env?: Readonly<Record<string, string>>): Promise<void>;
  /** Resolves when it says that it is ready. Rejects when it dies, and after `timeoutMs`, with its last log lines. */
  ready(timeoutMs?: number): Promise<void>;
  /** Ends it by SIGKILL unless told otherwise, and resolves when it has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Asks it to end and resolves when it has; may be called twice. */
  stop(): Promise<void>;
}

export interface ReplicaOptions {
  readonly service: ServiceName;
  readonly number: number;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Hears of a process that ended although nobody asked it to. */
  readonly onExit?: ((exit: Exit, lastLines: string) => void) | undefined;
}

// Measured: a service under load stays far below; without a limit V8 lets each heap grow to what the machine has. With the usual 16 MiB
// of young generation, or 8, what a batch needs for a moment grows old: 13 % more processor time per order, for marking it.
const NODE_OPTIONS = ['--enable-source-maps', '--max-old-space-size=256', '--max-semi-space-size=32'];

const READY_TIMEOUT_MS = 60_000;

/** A replica that was not started yet. */
export function createReplica({ service, number, port, env, logFile, onExit }: ReplicaOptions): Replica {
  const url = `http://127.0.0.1:${port}`;
  let handle: ServiceHandle | undefined;
  let isRunning = false;

  const running = (): ServiceHandle => {
    if (handle === undefined) throw new Error(`Replica ${number} of the ${service} service was never started.`);
    return handle;
  };

  async function start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    if (isRunning) throw new Error(`Replica ${number} of the ${service} service is running already.`);
    const current = await startService({
      name: number === 1 ? `the ${service} service` : `replica ${number} of the ${service} service`,
      cwd: serviceFolder(service),
      args: [...NODE_OPTIONS, serviceEntry(service, 'main')],
      env: { ...env, ...more, HTTP_HOST: '127.0.0.1', HTTP_PORT: String(port) },
      logFile,
      onExit(exit, lastLines) {
        isRunning = false; // whoever hears of its end may start it again at once
        onExit?.(exit, lastLines);
      },
    });
    handle = current;
    isRunning = true;
    void current.exited.then(() => {
      if (handle === current) isRunning = false;
    });
  }

  return {
    service,
    number,
    url,
    logFile,
    get pid() {
      return handle?.pid ?? 0;
    },
    isRunning: () => isRunning,
    exited: () => running().exited,
    start,
    ready: (timeoutMs = READY_TIMEOUT_MS) => waitUntilReady(`${url}/health/ready`, { timeoutMs, handle: running() }),
    async kill(signal) {
      await handle?.kill(signal);
    },
    async stop() {
      await handle?.stop();
    },
  };
}

import { join } from 'node:path';
import { type ServiceHandle, startService } from '@millrace/embedded';
import type { HandlerName } from '../service/contracts.ts';
import type { Grounds } from './grounds.ts';

/** A process of the service. */
export interface Replica {
  readonly handle: ServiceHandle;
  readonly name: string;
  /** Asks it to end and resolves when it has. */
  stop(): Promise<void>;
  /** Resolves when it was killed by its failpoint. Rejects when it ended in another way, or not in time. */
  killed(): Promise<void>;
}

export interface StartOptions {
  /** Where it dies. */
  readonly failpoint?: string;
  /** Tries of one message; 3 unless said. */
  readonly attempts?: number;
  /** What becomes of its key after the last one; it is skipped unless said. */
  readonly then?: 'skip' | 'hold';
}

/** The processes of one scenario's service. */
export class Replicas {
  readonly #grounds: Grounds;
  readonly #topicPrefix: string;
  readonly #all: Replica[] = [];
  #unasked: string | undefined;

  constructor(grounds: Grounds, topicPrefix: string) {
    this.#grounds = grounds;
    this.#topicPrefix = topicPrefix;
  }

  /** How the first process ended that was not asked to; undefined while none has. */
  get unasked(): string | undefined {
    return this.#unasked;
  }

  /** Starts one on this database with these handlers; none leaves a relay. */
  async start(databaseUrl: string, handlers: readonly HandlerName[], options: StartOptions): Promise<Replica> {
    const { brokers, build, logFolder } = this.#grounds;
    const name = `replica-${this.#all.length + 1}`;
    const handle = await startService({
      name,
      cwd: build.folder,
      args: ['--enable-source-maps', '--max-old-space-size=256', join(build.folder, 'service/main.js')],
      env: {
        DATABASE_URL: databaseUrl,
        KAFKA_BROKERS: brokers.join(','),
        KAFKA_TOPIC_PREFIX: this.#topicPrefix,
        HANDLERS: handlers.join(','),
        // Starting is most of what a process of the suite does.
        NODE_COMPILE_CACHE: join(logFolder, 'compiled'),
        REPLICA: name,
        ...(options.failpoint === undefined ? {} : { FAILPOINT: options.failpoint }),
        ...(options.attempts === undefined ? {} : { ATTEMPTS: String(options.attempts) }),
        ...(options.then === undefined ? {} : { AFTER_ATTEMPTS: options.then }),
      },
      logFile: join(logFolder, `${this.#topicPrefix}${name}.log`),
      onExit: ({ code, signal }, lastLines) => {
        if (options.failpoint !== undefined && signal === 'SIGKILL') return;
        const reason = lastLines.split('\n').findLast((line) => /^\w*Error|"level":"fatal"/.test(line)) ?? lastLines;
        this.#unasked ??= `${name} ended with ${signal ?? `exit code ${code}`} (${reason})`;
      },
    });
    const replica: Replica = {
      handle,
      name,
      stop: async () => void (await handle.stop()),
      killed: async () => {
        const ended = handle.exited.then(({ code, signal }) => {
          if (signal !== 'SIGKILL') throw new Error(`${name} ended with ${signal ?? `exit code ${code}`}`);
        });
        await this.#inTime(`${name} dies at its failpoint`, ended);
      },
    };
    this.#all.push(replica);
    return replica;
  }

  /** Ends all of them at once. */
  async kill(): Promise<void> {
    await Promise.all(this.#all.map(({ handle }) => handle.kill()));
  }

  async #inTime<T>(what: string, work: Promise<T>): Promise<T> {
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const timeoutMs = this.#grounds.patienceMs;
    const timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms in vain until ${what}`)), timeoutMs);
    try {
      return await Promise.race([work, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }
}

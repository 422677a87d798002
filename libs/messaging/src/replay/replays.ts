import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Database } from '@millrace/database';
import type { Logger } from '@millrace/observability';
import type { Handler } from '../handlers/handler.ts';
import type { Kafka } from '../kafka/client.ts';
import { backoffMs, Pause } from '../runtime/pause.ts';
import { claimReplays, type Claimed } from './lease.ts';
import { registerHandlers } from './handler-register.ts';
import { endReplay } from './replay-requests.ts';
import { ReplayRun } from './replay-run.ts';

// How soon a replay that was asked for begins, and how soon another replica notices that one has died (after its lease).
const LOOK_EVERY_MS = 500;

const MAX_BACKOFF_MS = 5000;

// A comparison of large tables takes longer, and so does a farewell to a Kafka that is away: the lease runs out by itself.
const LET_GO_WITHIN_MS = 4000;

export interface ReplaysOptions {
  readonly service: string;
  readonly database: Database;
  readonly kafka: Kafka;
  readonly topicPrefix: string;
  readonly logger: Logger;
  readonly handlers: readonly (readonly [string, Handler])[];
}

/** The replays that this replica works on: takes those of the service's projections that nobody is at. */
export class Replays {
  readonly #options: ReplaysOptions;
  readonly #pause = new Pause();
  readonly #runs = new Map<ReplayRun, Promise<void>>();
  readonly #holder = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  #running: Promise<void> | undefined;
  #isStopping = false;

  constructor(options: ReplaysOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Lets go of what it works on; another replica, or this one when it is back, goes on from there. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#pause.wake();
    for (const run of this.#runs.keys()) run.stop();
    const { promise: tooLate, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LET_GO_WITHIN_MS);
    await Promise.race([Promise.all([this.#running, ...this.#runs.values()]), tooLate]);
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    const { database, handlers, logger } = this.#options;
    const names = handlers.map(([name]) => name);
    let isRegistered = false;
    for (let failures = 0; !this.#isStopping;) {
      try {
        if (!isRegistered) await registerHandlers(database, handlers);
        isRegistered = true;
        for (const claimed of await claimReplays(database, names, this.#holder)) await this.#take(claimed);
        failures = 0;
      } catch (error) {
        failures += 1;
        logger.debug({ err: error }, 'no look for replays');
      }
      if (!this.#isStopping)
        await this.#pause.wait(LOOK_EVERY_MS + (failures === 0 ? 0 : backoffMs(failures, MAX_BACKOFF_MS)));
    }
  }

  async #take(claimed: Claimed): Promise<void> {
    const { projection } = claimed;
    const handler = this.#options.handlers.find(([name]) => name === projection)?.[1];
    if (handler?.kind !== 'project') {
      // Whoever wrote the row passed by startReplay, which refuses this.
      this.#options.logger.error({ projection }, 'not replayed: only projections can be');
      const problem = `${projection} is a ${handler?.kind} handler: applying its messages again would act again`;
      await this.#options.database.transaction((tx) => endReplay(tx, projection, 'failed', problem));
      return;
    }
    const { service, database, kafka, topicPrefix, logger } = this.#options;
    const run = new ReplayRun({
      service,
      database,
      kafka,
      topicPrefix,
      logger,
      holder: this.#holder,
      claimed,
      handler,
    });
    this.#runs.set(
      run,
      run.run().finally(() => this.#runs.delete(run)),
    );
    if (this.#isStopping) run.stop();
  }
}

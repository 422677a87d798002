import type { Database } from '@millrace/database';
import type { Logger } from '@millrace/observability';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { purgeKeys } from './store/idempotency-keys.ts';

// Keys live for hours, so nobody notices minutes.
const EVERY_MS = 10 * 60 * 1000;

// Small transactions: an acceptance that meets one of these rows waits for milliseconds.
const BATCH_SIZE = 1_000;

const HOUR_MS = 60 * 60 * 1000;

/** Forgets idempotency keys that are older than `ttlHours`, every ten minutes, until the process stops. */
export class ForgetKeys implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #ttlHours: number;
  #timer: NodeJS.Timeout | undefined;
  #isStopping = false;
  #round: Promise<void> = Promise.resolve();

  constructor(database: Database, logger: Logger, ttlHours: number) {
    this.#database = database;
    this.#logger = logger;
    this.#ttlHours = ttlHours;
  }

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => {
      this.#round = this.forget(new Date()).catch((err: unknown) =>
        this.#logger.warn({ err }, 'could not forget old idempotency keys; trying again in ten minutes'),
      );
    }, EVERY_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    await this.#round;
  }

  /** One round, batch by batch. */
  async forget(now: Date): Promise<void> {
    const olderThan = new Date(now.getTime() - this.#ttlHours * HOUR_MS);
    while (!this.#isStopping && (await purgeKeys(this.#database, olderThan, BATCH_SIZE)) === BATCH_SIZE);
  }
}

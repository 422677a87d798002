import { isDatabaseUnavailable, isTransactionConflict } from '@millrace/database';
import type { Logger } from '@millrace/observability';
import type { DueHandler } from '../handlers/handler.ts';
import type { LocalTransactions } from './local-transactions.ts';
import { backoffMs, Pause } from './pause.ts';

// One transaction for this many due rows.
const DUE_BATCH_SIZE = 500;

const MAX_BACKOFF_MS = 5000;

// oxlint-disable-next-line typescript/no-explicit-any
type AnyDueHandler = DueHandler<any, any>;

/** Looks for what is due, again and again; replicas share the work by skipping each other's locked rows. */
export class DueLoop {
  readonly #name: string;
  readonly #handler: AnyDueHandler;
  readonly #local: LocalTransactions;
  readonly #logger: Logger;
  readonly #pause = new Pause();
  #running: Promise<void> | undefined;
  #isStopping = false;

  constructor(name: string, handler: AnyDueHandler, local: LocalTransactions, logger: Logger) {
    this.#name = name;
    this.#handler = handler;
    this.#local = local;
    this.#logger = logger;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Finishes the transaction under way. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#pause.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isStopping; ) {
      try {
        const found = await this.#lookOnce();
        failures = 0;
        if (found < DUE_BATCH_SIZE) await this.#pause.wait(this.#handler.everyMs);
      } catch (error) {
        failures += 1;
        if (!isDatabaseUnavailable(error) && !isTransactionConflict(error)) {
          this.#logger.error({ err: error, job: this.#name }, 'what is due could not be handled, trying again');
        }
        await this.#pause.wait(backoffMs(failures, MAX_BACKOFF_MS));
      }
    }
  }

  async #lookOnce(): Promise<number> {
    return this.#local.inTransaction(async ({ tx, now, decideAll }) => {
      const messages = await this.#handler.due(tx, now, DUE_BATCH_SIZE);
      if (messages.length === 0) return 0;
      const verdicts = await decideAll(this.#handler, messages);
      const failed = verdicts.filter((verdict) => verdict.kind === 'failed');
      // What fails stays due and is tried again at the next look; all failing means that looking again at once is useless.
      for (const { error } of failed) this.#logger.error({ err: error, job: this.#name }, 'a due decision failed');
      return failed.length === 0 ? messages.length : 0;
    });
  }
}

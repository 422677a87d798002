import { isDatabaseUnavailable, isTransactionConflict, type Transaction } from '@millrace/database';
import type { Logger } from '@millrace/observability';
import type { DueHandler } from '../handlers/handler.ts';
import type { Decidable } from '../handlers/local-message.ts';
import { isDeploymentFault } from './deployment-fault.ts';
import type { DecideAll, LocalTransactions } from './local-transactions.ts';
import { aboutMessage } from '../spans/about-message.ts';
import { backoffMs, Pause } from './pause.ts';

// One transaction for this many due rows.
const DUE_BATCH_SIZE = 500;

const MAX_BACKOFF_MS = 5000;

// What failed is asked about again after this long: soon enough for a repair, seldom enough for a readable log.
const REST_MS = 60_000;

// Beyond this many a fault is no longer one of single rows, and the loop need not remember which.
const MAX_RESTING = 10_000;

// oxlint-disable-next-line typescript/no-explicit-any
type AnyDueHandler = DueHandler<any, any>;

/**
 * Looks for what is due, again and again; replicas share the work by skipping each other's locked rows. What fails to be decided
 * or saved stays due and rests for a while, without keeping the others waiting, however many fail.
 */
export class DueLoop {
  readonly #name: string;
  readonly #handler: AnyDueHandler;
  readonly #local: LocalTransactions;
  readonly #logger: Logger;
  readonly #pause = new Pause();
  /** Until when a key is left alone, the oldest first. */
  readonly #resting = new Map<string, number>();
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
    for (let failures = 0; !this.#isStopping;) {
      try {
        const handled = await this.#lookOnce();
        failures = 0;
        if (handled < DUE_BATCH_SIZE) await this.#pause.wait(this.#handler.everyMs);
      } catch (error) {
        failures += 1;
        if (!isDatabaseUnavailable(error) && !isTransactionConflict(error)) {
          this.#logger.error({ err: error, job: this.#name }, 'what is due could not be handled, trying again');
        }
        await this.#pause.wait(backoffMs(failures, MAX_BACKOFF_MS));
      }
    }
  }

  /** Answers how many were tried, found beside those that rest. */
  async #lookOnce(): Promise<number> {
    this.#endRests();
    const failed: string[] = [];
    const tried = await this.#local.inTransaction(async ({ tx, now, decideAll }) => {
      failed.length = 0;
      const due = await this.#handler.due(tx, now, DUE_BATCH_SIZE + this.#resting.size);
      const messages = due.filter(({ key }) => !this.#resting.has(key));
      if (messages.length > 0) failed.push(...(await this.#decide(tx, messages, decideAll)));
      return messages.length;
    });
    for (const key of failed) {
      if (this.#resting.size < MAX_RESTING) this.#resting.set(key, Date.now() + REST_MS);
    }
    return tried;
  }

  /** Decides and saves; halves what cannot be saved until the culprit is alone. Answers the keys that failed. */
  async #decide(tx: Transaction, messages: readonly Decidable[], decideAll: DecideAll): Promise<readonly string[]> {
    await tx.query('SAVEPOINT due');
    try {
      const verdicts = await decideAll(this.#handler, messages);
      await tx.query('RELEASE SAVEPOINT due');
      return messages
        .filter((message, index) => {
          const verdict = verdicts[index];
          if (verdict?.kind === 'failed') this.#report(message, verdict.error);
          return verdict?.kind === 'failed';
        })
        .map(({ key }) => key);
    } catch (error) {
      if (isDatabaseUnavailable(error) || isTransactionConflict(error) || isDeploymentFault(error)) throw error;
      await tx.query('ROLLBACK TO SAVEPOINT due');
      const [only] = messages;
      if (messages.length === 1 && only !== undefined) {
        this.#report(only, error);
        return [only.key];
      }
      const middle = Math.ceil(messages.length / 2);
      return [
        ...(await this.#decide(tx, messages.slice(0, middle), decideAll)),
        ...(await this.#decide(tx, messages.slice(middle), decideAll)),
      ];
    }
  }

  #report(message: Decidable, error: unknown): void {
    this.#logger.error(
      { err: error, job: this.#name, ...aboutMessage(message) },
      'a due decision failed; it is tried again in a minute',
    );
  }

  #endRests(): void {
    const now = Date.now();
    for (const [key, until] of this.#resting) {
      if (until > now) return;
      this.#resting.delete(key);
    }
  }
}

import { type Decoded, decoderOf } from '@millrace/contracts';
import { type Database, isDatabaseUnavailable, isTransactionConflict } from '@millrace/database';
import type { Logger, Metrics } from '@millrace/observability';
import { failpoint } from '../failpoints.ts';
import { Unavailable } from '../handlers/failures.ts';
import type { Handler } from '../handlers/handler.ts';
import type { Relay } from '../outbox/relay.ts';
import { idOfPosition } from './dead-letter.ts';
import { isDeploymentFault } from './deployment-fault.ts';
import type { Incoming } from './incoming.ts';
import { backoffMs, Pause } from './pause.ts';
import type { ParkedPlace, Received } from './received.ts';
import { type ApplyFresh, type Known, settleBatch } from './settle-batch.ts';
import { SettledReport } from './settled-report.ts';
import { startProcessSpan } from '../spans/process-span.ts';
import { endLeft, inBatchSpan, noteRetry } from '../spans/settled-spans.ts';

/** What a group's runtime works with. */
export interface GroupContext {
  readonly group: string;
  readonly service: string;
  readonly database: Database;
  readonly relay: Relay;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const MAX_BACKOFF_MS = 5000;

// A lost race is won at the second or third try; what loses this often is stuck on one message, which must not stop the others.
const MAX_CONFLICTS = 10;

// Fewer are everyday business between replicas and nothing to tell anybody.
const UNUSUAL_CONFLICTS = 3;

/** The work on a batch ends before it is settled: it is left as it was, and goes on elsewhere or later. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

/** What is to be known of a handler to settle its batches. */
type SettledHandler = Pick<Exclude<Handler, { kind: 'due' }>, 'hears' | 'retry'> & { readonly kind?: Handler['kind'] };

/**
 * Settles batches: each record of a batch is applied once, found a duplicate, parked, or dead-lettered, all in one transaction with
 * the inbox and the outbox. An outage is waited for. A transaction that fails for another reason is split until the message that
 * breaks it stands alone: as a failure of that message.
 */
export class Settlement {
  readonly #context: GroupContext;
  readonly #handler: SettledHandler;
  readonly #decode: (incoming: Incoming) => Decoded;
  readonly #on: { readonly outage?: () => void; readonly parked?: (dueInMs: number) => void };
  readonly #pause = new Pause();
  readonly #report: SettledReport;
  #isStopping = false;
  #outage: string | undefined;

  /** `onOutage` hears when `outage` changes; `onParked` of a key that is due again after so many milliseconds. */
  constructor(
    context: GroupContext,
    handler: SettledHandler,
    on: { readonly outage?: () => void; readonly parked?: (dueInMs: number) => void } = {},
  ) {
    this.#context = context;
    this.#handler = handler;
    this.#decode = decoderOf(handler.hears);
    this.#on = on;
    this.#report = new SettledReport(context);
  }

  /** Why batches wait at present; undefined when they do not. */
  get outage(): string | undefined {
    return this.#outage;
  }

  /** Ends the waiting for a database that is away. */
  stop(): void {
    this.#isStopping = true;
    this.#pause.wake();
  }

  /** Decodes a record; `parked` tells where it waited, if it did. */
  received(incoming: Incoming, parked?: ParkedPlace): Received {
    const decoded = this.#decode(incoming);
    const id =
      decoded.kind === 'message'
        ? decoded.message.id
        : decoded.kind === 'malformed'
          ? (decoded.id ?? idOfPosition(incoming))
          : undefined;
    return { incoming, decoded, id, parked, span: undefined };
  }

  /** The work on a record begins: with a call, or with its batch. */
  begin(received: Received): void {
    received.span ??= startProcessSpan(this.#context, received);
  }

  /**
   * Settles a batch with `apply`.
   * @throws {Stopped} the service stops while the database is away.
   * @throws {Error} what is deployed does not fit the database, or a failure cannot be stored: nothing of it is settled.
   */
  async settle(batch: readonly Received[], apply: ApplyFresh, known: Known = {}): Promise<void> {
    for (const received of batch) this.begin(received);
    try {
      await this.#settle(batch, apply, known);
    } catch (error) {
      for (const received of batch) endLeft(received, error);
      throw error;
    }
  }

  async #settle(batch: readonly Received[], apply: ApplyFresh, known: Known): Promise<void> {
    for (let attempt = 0, conflicts = 0; ; attempt++) {
      try {
        await this.#transact(batch, apply, known);
        this.#recovered();
        return;
      } catch (error) {
        // Counted apart from the tries of an outage: the first lost race after it must not be the last.
        if (isTransactionConflict(error)) conflicts += 1;
        if (isOutage(error) || (isTransactionConflict(error) && conflicts <= MAX_CONFLICTS)) {
          if (attempt === 0 || isTransactionConflict(error)) noteRetry(batch, error);
          await this.#wait(error, attempt);
          continue;
        }
        if (isDeploymentFault(error)) throw error;
        await this.#isolate(batch, apply, known, error);
        return;
      }
    }
  }

  /** Runs `read` against the database until it answers. */
  async whenAvailable<T>(read: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        const result = await read();
        this.#recovered();
        return result;
      } catch (error) {
        if (!isDatabaseUnavailable(error) && !isTransactionConflict(error)) throw error;
        await this.#wait(error, attempt);
      }
    }
  }

  /** Halves the batch until the culprit is alone: log n transactions more for each, and the order stays. */
  async #isolate(batch: readonly Received[], apply: ApplyFresh, known: Known, error: unknown): Promise<void> {
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      if (known.failed?.has(only)) throw error;
      await this.settle(batch, apply, { failed: new Map([[only, error]]) });
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await this.settle(batch.slice(0, middle), apply, known);
    await this.settle(batch.slice(middle), apply, known);
  }

  async #transact(batch: readonly Received[], apply: ApplyFresh, known: Known): Promise<void> {
    const { group, database, relay } = this.#context;
    const startedAt = performance.now();
    const { ends, stored, dueInMs } = await inBatchSpan(group, batch, () =>
      database.transaction(async (tx) => {
        const { retry: policy, kind } = this.#handler;
        const settled = await settleBatch(
          tx,
          { group, policy, keepsPositions: kind === 'project' },
          batch,
          apply,
          known,
        );
        relay.remember(settled.stored);
        failpoint('before-commit', group);
        return settled;
      }),
    );
    failpoint('after-commit', group);
    relay.wake(stored);
    this.#report.settled(startedAt, ends);
    if (dueInMs !== undefined) this.#on.parked?.(dueInMs);
  }

  async #wait(error: unknown, attempt: number): Promise<void> {
    if (this.#isStopping) throw new Stopped('the service stops');
    this.#report.retried(causeOf(error));
    if (isOutage(error) || attempt >= UNUSUAL_CONFLICTS) {
      if (this.#outage === undefined) {
        this.#context.logger.warn({ err: error, group: this.#context.group }, 'waiting for the database');
      }
      const what = error instanceof Unavailable ? '' : 'the database: ';
      this.#changeOutage(what + (error instanceof Error ? error.message : String(error)));
    }
    await this.#pause.wait(backoffMs(attempt, MAX_BACKOFF_MS));
    if (this.#isStopping) throw new Stopped('the service stops');
  }

  #recovered(): void {
    if (this.#outage === undefined) return;
    this.#changeOutage(undefined);
    this.#context.logger.info({ group: this.#context.group }, 'the database is back');
  }

  #changeOutage(outage: string | undefined): void {
    const isChanged = (outage === undefined) !== (this.#outage === undefined);
    this.#outage = outage;
    if (isChanged) this.#on.outage?.();
  }
}

/** Says nothing about the messages: they are tried again for as long as it lasts. */
function isOutage(error: unknown): boolean {
  return error instanceof Unavailable || isDatabaseUnavailable(error);
}

function causeOf(error: unknown): 'unavailable' | 'database' | 'conflict' {
  if (error instanceof Unavailable) return 'unavailable';
  return isDatabaseUnavailable(error) ? 'database' : 'conflict';
}

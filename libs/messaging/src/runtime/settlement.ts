import { type AnyMessage, type Decoded, decoderOf } from '@millrace/contracts';
import { type Database, isDatabaseUnavailable, isTransactionConflict, type Transaction } from '@millrace/database';
import type { Logger, Metrics } from '@millrace/observability';
import type { Span } from '@opentelemetry/api';
import { failpoint } from '../failpoints.ts';
import type { Handler } from '../handlers/handler.ts';
import { claimFresh } from '../inbox/inbox.ts';
import { type OutboxRecord, storeRecords } from '../outbox/outbox.ts';
import type { Relay } from '../outbox/relay.ts';
import { deadLetterOf, type Failure, failureOf, idOfPosition } from './dead-letter.ts';
import { SettlingMetrics } from './group-metrics.ts';
import type { Incoming } from './incoming.ts';
import type { Tracked } from './offset-tracker.ts';
import { isDeploymentFault } from './deployment-fault.ts';
import { backoffMs, Pause } from './pause.ts';
import { aboutMessage } from '../spans/about-message.ts';
import { startProcessSpan } from '../spans/process-span.ts';
import { endBuried, endLeft, endSettled, inBatchSpan, noteRetry } from '../spans/settled-spans.ts';

/** What a group's runtime works with. */
export interface GroupContext {
  readonly group: string;
  readonly service: string;
  readonly database: Database;
  readonly relay: Relay;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A received record, decoded. `id` is what the inbox remembers. */
export interface Received {
  readonly tracked: Tracked;
  readonly incoming: Incoming;
  readonly decoded: Decoded;
  readonly id: string | undefined;
  /** Open while the record is worked on, where its trace is recorded. */
  span: Span | undefined;
}

/** What one transaction has to do for the fresh messages of a batch: answers what was said and which failed. */
export type ApplyFresh = (
  tx: Transaction,
  fresh: readonly { readonly message: AnyMessage; readonly received: Received; readonly span: Span | undefined }[],
  now: Date,
) => Promise<{ readonly records: readonly OutboxRecord[]; readonly failures: ReadonlyMap<AnyMessage, unknown> }>;

const MAX_BACKOFF_MS = 5000;

// A lost race is won at the second or third try; what loses this often is stuck on one message, which must not stop the others.
const MAX_CONFLICTS = 10;

// Fewer are everyday business between replicas and nothing to tell anybody.
const UNUSUAL_CONFLICTS = 3;

/** The service stops while a batch waits for the database: the batch is left unsettled and will be delivered again. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

/**
 * Settles batches: each record of a batch is applied once, found a duplicate, or dead-lettered, all in one transaction with
 * the inbox and the outbox. An outage of the database is waited for. A transaction that fails for another reason is split
 * until the message that breaks it stands alone and goes to the dead letters.
 */
export class Settlement {
  readonly #context: GroupContext;
  readonly #decode: (incoming: Incoming) => Decoded;
  readonly #pause = new Pause();
  readonly #metrics: SettlingMetrics;
  #isStopping = false;
  #outage: string | undefined;

  constructor(context: GroupContext, handler: Pick<Exclude<Handler, { kind: 'due' }>, 'hears'>) {
    this.#context = context;
    this.#decode = decoderOf(handler.hears);
    this.#metrics = new SettlingMetrics(context.metrics, context.group);
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

  received(tracked: Tracked): Received {
    const { incoming } = tracked;
    const decoded = this.#decode(incoming);
    const id =
      decoded.kind === 'message'
        ? decoded.message.id
        : decoded.kind === 'malformed'
          ? idOfPosition(incoming)
          : undefined;
    return { tracked, incoming, decoded, id, span: undefined };
  }

  /** The work on a record begins: with a call, or with its batch. */
  begin(received: Received): void {
    received.span ??= startProcessSpan(this.#context, received);
  }

  /**
   * Settles a batch with `apply`. `failures` are messages that failed before (a call that was given up): they are dead-lettered in
   * the same transaction.
   * @throws {Stopped} the service stops while the database is away.
   * @throws {Error} what is deployed does not fit the database, or a dead letter cannot be stored: nothing of it is settled.
   */
  async settle(
    batch: readonly Received[],
    apply: ApplyFresh,
    failures: ReadonlyMap<Received, Failure> = new Map(),
  ): Promise<void> {
    for (const received of batch) this.begin(received);
    try {
      await this.#settle(batch, apply, failures);
    } catch (error) {
      for (const received of batch) endLeft(received, error);
      throw error;
    }
  }

  async #settle(
    batch: readonly Received[],
    apply: ApplyFresh,
    failures: ReadonlyMap<Received, Failure>,
  ): Promise<void> {
    for (let attempt = 0, conflicts = 0; ; attempt++) {
      try {
        await this.#transact(batch, apply, failures);
        this.#recovered();
        return;
      } catch (error) {
        // Counted apart from the tries of an outage: the first lost race after it must not be the last.
        if (isTransactionConflict(error)) conflicts += 1;
        if (isDatabaseUnavailable(error) || (isTransactionConflict(error) && conflicts <= MAX_CONFLICTS)) {
          if (attempt === 0 || isTransactionConflict(error)) noteRetry(batch, error);
          await this.#waitForDatabase(error, attempt);
          continue;
        }
        if (isDeploymentFault(error)) throw error;
        await this.#isolate(batch, apply, failures, error);
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
        await this.#waitForDatabase(error, attempt);
      }
    }
  }

  /** Halves the batch until the culprit is alone: log n transactions more for each, and the order stays. */
  async #isolate(
    batch: readonly Received[],
    apply: ApplyFresh,
    failures: ReadonlyMap<Received, Failure>,
    error: unknown,
  ): Promise<void> {
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      if (failures.has(only)) throw error;
      await this.settle(batch, apply, new Map([[only, failureOf(error, 1)]]));
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await this.settle(batch.slice(0, middle), apply, failures);
    await this.settle(batch.slice(middle), apply, failures);
  }

  async #transact(
    batch: readonly Received[],
    apply: ApplyFresh,
    failures: ReadonlyMap<Received, Failure>,
  ): Promise<void> {
    const { group, database, relay } = this.#context;
    const startedAt = performance.now();
    const settle = async (tx: Transaction) => {
      const now = new Date();
      const ids = batch.flatMap(({ id }) => (id === undefined ? [] : [id]));
      const fresh = ids.length === 0 ? new Set<string>() : await claimFresh(tx, group, ids);
      const counts = { applied: 0, duplicate: 0, 'not-heard': 0, 'dead-lettered': 0 };
      const letters: OutboxRecord[] = [];
      const buried: [Received, Failure][] = [];
      const duplicates: Received[] = [];
      const bury = (received: Received, failure: Failure): void => {
        letters.push(deadLetterOf(received, group, failure, now));
        counts['dead-lettered'] += 1;
        buried.push([received, failure]);
      };
      const messages: { message: AnyMessage; received: Received; span: Span | undefined }[] = [];
      for (const received of batch) {
        const { decoded, id } = received;
        if (id === undefined) counts['not-heard'] += 1;
        // The same id may stand twice in one batch: only the first is fresh.
        else if (!fresh.delete(id)) duplicates.push(received);
        else if (failures.has(received)) bury(received, failures.get(received) as Failure);
        else if (decoded.kind === 'malformed')
          bury(received, { reason: decoded.reason, error: decoded.detail, attempts: 1 });
        else if (decoded.kind === 'message') {
          const { message } = decoded;
          messages.push({ message, received, span: received.span });
        }
      }
      counts.duplicate = duplicates.length;
      const applied = messages.length === 0 ? { records: [], failures: new Map() } : await apply(tx, messages, now);
      for (const { message, received } of messages) {
        if (applied.failures.has(message)) bury(received, failureOf(applied.failures.get(message), 1));
        else counts.applied += 1;
      }
      const shards = await storeRecords(tx, [...applied.records, ...letters]);
      failpoint('before-commit', group);
      return { shards, counts, buried, duplicates };
    };
    const outcome = await inBatchSpan(group, batch, () => database.transaction(settle));
    failpoint('after-commit', group);
    relay.wake(outcome.shards);
    for (const [received, failure] of outcome.buried) {
      this.#report(received, failure);
      endBuried(received, failure);
    }
    for (const received of outcome.duplicates) endSettled(received, 'duplicate');
    for (const received of batch) endSettled(received, 'applied');
    this.#metrics.settled(
      startedAt,
      outcome.counts,
      outcome.buried.map(([, { reason }]) => reason),
    );
  }

  #report({ incoming, decoded, span }: Received, failure: Failure): void {
    this.#context.logger.error(
      {
        group: this.#context.group,
        topic: incoming.topic,
        partition: incoming.partition,
        offset: incoming.offset,
        reason: failure.reason,
        error: failure.error,
        ...(decoded.kind === 'message' ? aboutMessage(decoded.message, span) : {}),
      },
      `dead letter: ${failure.error}`,
    );
  }

  async #waitForDatabase(error: unknown, attempt: number): Promise<void> {
    if (this.#isStopping) throw new Stopped('the service stops');
    this.#metrics.retried(isDatabaseUnavailable(error) ? 'database' : 'conflict');
    if (isDatabaseUnavailable(error) || attempt >= UNUSUAL_CONFLICTS) {
      if (this.#outage === undefined) {
        this.#context.logger.warn({ err: error, group: this.#context.group }, 'waiting for the database');
      }
      this.#outage = `the database: ${error instanceof Error ? error.message : String(error)}`;
    }
    await this.#pause.wait(backoffMs(attempt, MAX_BACKOFF_MS));
    if (this.#isStopping) throw new Stopped('the service stops');
  }

  #recovered(): void {
    if (this.#outage === undefined) return;
    this.#outage = undefined;
    this.#context.logger.info({ group: this.#context.group }, 'the database is back');
  }
}

import { setMaxListeners } from 'node:events';
import type { AnyMessage } from '@millrace/contracts';
import { naturalBatches } from '../batching/natural-batches.ts';
import { PermanentFailure, Unavailable } from '../handlers/failures.ts';
import type { PerformHandler } from '../handlers/handler.ts';
import { settledAlready } from '../inbox/inbox.ts';
import { applyDecisions } from './apply-decisions.ts';
import { type Failure, failureOf } from './dead-letter.ts';
import type { Tracked } from './offset-tracker.ts';
import { backoffMs, Pause } from './pause.ts';
import { type GroupContext, type Received, Settlement, Stopped } from './settlement.ts';
import type { Worker, WorkerEvents } from './worker.ts';

// Outcomes that arrive while a transaction runs share the next one, up to this many.
const MAX_OUTCOMES = 500;

const MAX_BACKOFF_MS = 5000;

// oxlint-disable-next-line typescript/no-explicit-any
type AnyPerformHandler = PerformHandler<any, any, any>;

/** What a call brought, or why it was given up. */
type Result = { readonly received: Received; readonly outcome: unknown } | { readonly received: Received; readonly failure: Failure };

/**
 * Works for `perform` handlers: calls run side by side, one at a time per key and in its order; their outcomes are settled in
 * batches. A slow call holds up its own key and the offsets behind it, nothing else.
 */
export class CallWorker implements Worker {
  readonly #context: GroupContext;
  readonly #handler: AnyPerformHandler;
  readonly #events: WorkerEvents;
  readonly #settlement: Settlement;
  readonly #stopping = new AbortController();
  readonly #settle: (result: Result) => Promise<void>;
  readonly #outages = new Map<object, string>();
  #waiting: Received[] = [];
  readonly #busyKeys = new Set<string>();
  readonly #underway = new Set<Promise<void>>();
  #slots: number;

  constructor(context: GroupContext, handler: AnyPerformHandler, events: WorkerEvents) {
    this.#context = context;
    this.#handler = handler;
    this.#events = events;
    this.#slots = handler.concurrency;
    this.#settlement = new Settlement(context, handler);
    this.#settle = naturalBatches((results: readonly Result[]) => this.#settleAll(results), { maxItems: MAX_OUTCOMES });
    setMaxListeners(0, this.#stopping.signal);
  }

  get outage(): string | undefined {
    const [call] = this.#outages.values();
    return this.#settlement.outage ?? call;
  }

  accept(records: readonly Tracked[]): void {
    if (this.#stopping.signal.aborted) return;
    this.#waiting.push(...records.map((tracked) => this.#settlement.received(tracked)));
    this.#begin();
  }

  forget(): void {
    this.#waiting = [];
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#waiting = [];
    this.#settlement.stop();
    while (this.#underway.size > 0) await Promise.all(this.#underway);
  }

  /** Begins what can begin: the first waiting record of each idle key, while there are free slots. */
  #begin(): void {
    const ready: Received[] = [];
    const left: Received[] = [];
    const blocked = new Set<string>();
    for (const received of this.#waiting) {
      const key = keyOf(received);
      if (this.#slots === 0 || this.#busyKeys.has(key) || blocked.has(key)) {
        blocked.add(key);
        left.push(received);
      } else {
        this.#slots -= 1;
        this.#busyKeys.add(key);
        ready.push(received);
      }
    }
    this.#waiting = left;
    if (ready.length === 0) return;
    const underway: Promise<void> = this.#handle(ready)
      .catch((error: unknown) => {
        if (!(error instanceof Stopped)) this.#events.failed(error);
      })
      .finally(() => this.#underway.delete(underway));
    this.#underway.add(underway);
  }

  /** Reads what a set of records needs in two statements, then lets each go its own way. */
  async #handle(ready: readonly Received[]): Promise<void> {
    const { database, group } = this.#context;
    const messages = ready.flatMap(({ decoded }) => (decoded.kind === 'message' ? [decoded.message] : []));
    const ids = messages.map(({ id }) => id);
    const { known, states } = await this.#settlement.whenAvailable(async () => ({
      known: ids.length === 0 ? new Set<string>() : await settledAlready(database, group, ids),
      states: await this.#handler.store.load(database, messages, { lock: false }),
    }));
    const ends = await Promise.allSettled(
      ready.map(async (received) => {
        try {
          const { decoded } = received;
          const result =
            decoded.kind === 'message' && !known.has(decoded.message.id)
              ? await this.#call(received, decoded.message, states.of(decoded.message))
              : { received, outcome: undefined };
          await this.#settle(result);
          this.#events.settled([received.tracked]);
        } finally {
          this.#slots += 1;
          this.#busyKeys.delete(keyOf(received));
          if (!this.#stopping.signal.aborted) this.#begin();
        }
      }),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** Calls until there is an outcome, or the attempts are used up. While the other side is away no attempt is counted. */
  async #call(received: Received, message: AnyMessage, state: unknown): Promise<Result> {
    try {
      for (let attempt = 1, away = 0; ; ) {
        try {
          return { received, outcome: await this.#callOnce(message, state, attempt) };
        } catch (error) {
          if (this.#stopping.signal.aborted) throw new Stopped('the service stops', { cause: error });
          if (error instanceof PermanentFailure) return { received, failure: failureOf(error, attempt) };
          if (error instanceof Unavailable) {
            if (away === 0) this.#context.logger.warn({ err: error, group: this.#context.group }, 'waiting for the other side');
            this.#outages.set(received, error.message);
            away += 1;
          } else if (attempt >= this.#handler.attempts) {
            return { received, failure: failureOf(error, attempt) };
          } else {
            this.#context.logger.warn({ err: error, group: this.#context.group, messageId: message.id, attempt }, 'call failed');
            attempt += 1;
          }
          await this.#wait(backoffMs(attempt + away, MAX_BACKOFF_MS));
        }
      }
    } finally {
      this.#outages.delete(received);
    }
  }

  async #callOnce(message: AnyMessage, state: unknown, attempt: number): Promise<unknown> {
    const timeout = AbortSignal.timeout(this.#handler.timeoutMs);
    const signal = AbortSignal.any([timeout, this.#stopping.signal]);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void =>
      reject(
        timeout.aborted
          ? new Unavailable(`no answer within ${this.#handler.timeoutMs} ms`)
          : new Stopped('the service stops'),
      );
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([
        this.#handler.perform(state, message, { idempotencyKey: message.id, attempt, signal }),
        aborted,
      ]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #settleAll(results: readonly Result[]): Promise<void[]> {
    const outcomes = new Map<AnyMessage, unknown>();
    const failures = new Map<Received, Failure>();
    for (const result of results) {
      const { decoded } = result.received;
      if ('failure' in result) failures.set(result.received, result.failure);
      else if (decoded.kind === 'message') outcomes.set(decoded.message, result.outcome);
    }
    await this.#settlement.settle(
      results.map(({ received }) => received),
      applyDecisions(this.#context.service, this.#handler.store, (state, message, decision) =>
        this.#handler.decide(state, message, outcomes.get(message), decision),
      ),
      failures,
    );
    return results.map(() => undefined);
  }

  async #wait(ms: number): Promise<void> {
    const pause = new Pause();
    const wake = (): void => pause.wake();
    this.#stopping.signal.addEventListener('abort', wake, { once: true });
    await pause.wait(ms);
    this.#stopping.signal.removeEventListener('abort', wake);
    if (this.#stopping.signal.aborted) throw new Stopped('the service stops');
  }
}

/** Records without a key of their own (malformed ones) wait for nobody. */
function keyOf({ decoded, incoming }: Received): string {
  return decoded.kind === 'message' ? decoded.message.key : `${incoming.topic}/${incoming.partition}/${incoming.offset}`;
}

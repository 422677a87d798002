import type { AnyMessage } from '@millrace/contracts';
import { naturalBatches } from '../batching/natural-batches.ts';
import { PermanentFailure, Unavailable } from '../handlers/failures.ts';
import type { PerformHandler } from '../handlers/handler.ts';
import { settledAlready } from '../inbox/inbox.ts';
import type { LoadedStates } from '../handlers/state-store.ts';
import { aboutMessage } from '../spans/about-message.ts';
import { inCallSpan } from '../spans/call-span.ts';
import { endLeft } from '../spans/settled-spans.ts';
import { applyDecisions } from './apply-decisions.ts';
import { CallMetrics, NoAnswer } from './call-metrics.ts';
import { type Failure, failureOf } from './dead-letter.ts';
import { KeyedQueue } from './keyed-queue.ts';
import type { Tracked } from './offset-tracker.ts';
import { backoffMs, Pause } from './pause.ts';
import { type GroupContext, type Received, Settlement, Stopped } from './settlement.ts';
import type { Worker, WorkerEvents } from './worker.ts';

// Outcomes that arrive while a transaction runs share the next one, up to this many.
const MAX_OUTCOMES = 500;

const MAX_BACKOFF_MS = 5000;

// A call that is cut off may have acted or not, which not every other side can tell apart: a mail would be sent twice.
const FINISH_WITHIN_MS = 3000;

// oxlint-disable-next-line typescript/no-explicit-any
type AnyPerformHandler = PerformHandler<any, any, any>;

/** What a call brought, or why it was given up. */
type Result =
  | { readonly received: Received; readonly outcome: unknown }
  | { readonly received: Received; readonly failure: Failure };

/** What is known before the calls: which messages are settled already, and the states of the others. */
interface Found {
  readonly known: ReadonlySet<string>;
  readonly states: LoadedStates<unknown, AnyMessage>;
}

/**
 * Works for `perform` handlers: calls run side by side, one at a time per key and in its order; their outcomes are settled in
 * batches. A slow call holds up its own key and the offsets behind it, nothing else.
 */
export class CallWorker implements Worker {
  readonly #context: GroupContext;
  readonly #handler: AnyPerformHandler;
  readonly #events: WorkerEvents;
  readonly #metrics: CallMetrics;
  readonly #settlement: Settlement;
  readonly #settle: (result: Result) => Promise<void>;
  readonly #queue = new KeyedQueue<Received>();
  readonly #underway = new Set<Promise<void>>();
  /** Cuts off each call under way. */
  readonly #calls = new Set<(reason: Error) => void>();
  readonly #retries = new Set<Pause>();
  readonly #outages = new Map<object, string>();
  #slots: number;
  #isBeginning = false;
  #isStopping = false;

  constructor(context: GroupContext, handler: AnyPerformHandler, events: WorkerEvents) {
    this.#context = context;
    this.#handler = handler;
    this.#events = events;
    this.#metrics = new CallMetrics(context.metrics, context.group);
    this.#slots = handler.concurrency;
    this.#settlement = new Settlement(context, handler);
    this.#settle = naturalBatches((results: readonly Result[]) => this.#settleAll(results), { maxItems: MAX_OUTCOMES });
  }

  get outage(): string | undefined {
    const [call] = this.#outages.values();
    return this.#settlement.outage ?? call;
  }

  accept(records: readonly Tracked[]): void {
    if (this.#isStopping) return;
    for (const tracked of records) {
      const received = this.#settlement.received(tracked);
      this.#queue.push(keyOf(received), received);
    }
    this.#beginSoon();
  }

  forget(): void {
    this.#queue.clear();
  }

  async stop(): Promise<void> {
    this.#beginNothingMore();
    const cutOff = setTimeout(() => {
      for (const end of this.#calls) end(new Stopped('the service stops'));
    }, FINISH_WITHIN_MS);
    while (this.#underway.size > 0) await Promise.all(this.#underway);
    clearTimeout(cutOff);
  }

  #beginNothingMore(): void {
    this.#isStopping = true;
    this.#queue.clear();
    this.#settlement.stop();
    for (const pause of this.#retries) pause.wake();
  }

  /** Calls that end in one settlement free their slots together: what begins next shares two statements, not two each. */
  #beginSoon(): void {
    if (this.#isBeginning) return;
    this.#isBeginning = true;
    setImmediate(() => {
      this.#isBeginning = false;
      if (!this.#isStopping) this.#begin();
    });
  }

  #begin(): void {
    const ready = this.#queue.take(this.#slots);
    if (ready.length === 0) return;
    this.#slots -= ready.length;
    const underway: Promise<void> = this.#handle(ready).finally(() => this.#underway.delete(underway));
    this.#underway.add(underway);
  }

  /** Reads what a set of records needs in two statements, then lets each go its own way. Never rejects. */
  async #handle(ready: readonly Received[]): Promise<void> {
    let found: Found;
    try {
      found = await this.#settlement.whenAvailable(() => this.#find(ready));
    } catch (error) {
      // A message whose state cannot be read must not stop the others: each is tried alone, and the culprit is dead-lettered.
      if (ready.length > 1 && !(error instanceof Stopped)) {
        await Promise.all(ready.map((received) => this.#handle([received])));
      } else {
        await Promise.all(
          ready.map((received) =>
            this.#finish(received, () => {
              if (error instanceof Stopped) throw error;
              return Promise.resolve({ received, failure: failureOf(error, 1) });
            }),
          ),
        );
      }
      return;
    }
    await Promise.all(
      ready.map((received) =>
        this.#finish(received, async () => {
          const { decoded } = received;
          return decoded.kind === 'message' && !found.known.has(decoded.message.id)
            ? this.#call(received, decoded.message, found.states.of(decoded.message))
            : { received, outcome: undefined };
        }),
      ),
    );
  }

  async #find(ready: readonly Received[]): Promise<Found> {
    const { database, group } = this.#context;
    const messages = ready.flatMap(({ decoded }) => (decoded.kind === 'message' ? [decoded.message] : []));
    const ids = messages.map(({ id }) => id);
    return {
      known: ids.length === 0 ? new Set() : await settledAlready(database, group, ids),
      states: await this.#handler.store.load(database, messages, { lock: false }),
    };
  }

  /**
   * Settles what `work` brings. The slot is free when the call has ended, so that calls go on while outcomes gather for the next
   * transaction; the key only when the outcome is recorded. Never rejects.
   */
  async #finish(received: Received, work: () => Promise<Result>): Promise<void> {
    try {
      const result = await work().finally(() => {
        this.#slots += 1;
        this.#beginSoon();
      });
      await this.#settle(result);
      this.#events.settled([received.tracked]);
    } catch (error) {
      endLeft(received, error);
      if (error instanceof Stopped) return;
      // The next record of this key must not overtake the one that could not be settled.
      this.#beginNothingMore();
      this.#events.failed(error);
    } finally {
      this.#queue.release(keyOf(received));
      this.#beginSoon();
    }
  }

  /** Calls until there is an outcome, or the attempts are used up. While the other side is away no attempt is counted. */
  async #call(received: Received, message: AnyMessage, state: unknown): Promise<Result> {
    const { logger, group } = this.#context;
    this.#settlement.begin(received);
    const about = () => aboutMessage(message, received.span);
    try {
      for (let attempt = 1, away = 0; ;) {
        try {
          return { received, outcome: await this.#callInSpan(received, message, state, attempt, attempt + away) };
        } catch (error) {
          if (error instanceof Stopped) throw error;
          if (error instanceof PermanentFailure) return { received, failure: failureOf(error, attempt) };
          if (error instanceof Unavailable) {
            if (away === 0) logger.warn({ err: error, group, ...about() }, 'waiting for the other side');
            this.#outages.set(received, error.message);
            this.#metrics.retried('unavailable');
            away += 1;
          } else if (attempt >= this.#handler.attempts) {
            return { received, failure: failureOf(error, attempt) };
          } else {
            logger.warn({ err: error, group, ...about(), attempt }, 'call failed');
            this.#metrics.retried('call');
            attempt += 1;
          }
          const waitMs = backoffMs(attempt + away, MAX_BACKOFF_MS);
          received.span?.addEvent('waits for the next try', { 'millrace.wait_ms': Math.round(waitMs) });
          await this.#wait(waitMs);
        }
      }
    } finally {
      this.#outages.delete(received);
    }
  }

  #callInSpan(
    { span }: Received,
    message: AnyMessage,
    state: unknown,
    attempt: number,
    number: number,
  ): Promise<unknown> {
    const name = () => this.#handler.callName(state, message);
    return inCallSpan({ message, processSpan: span, name, number }, () =>
      this.#metrics.timed(
        () => this.#callOnce(message, state, attempt),
        (error) => error instanceof Stopped,
      ),
    );
  }

  async #callOnce(message: AnyMessage, state: unknown, attempt: number): Promise<unknown> {
    const { timeoutMs } = this.#handler;
    const controller = new AbortController();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const end = (reason: Error): void => {
      // Rejected before it is aborted: why it ended is ours to say, whatever the call makes of its signal.
      reject(reason);
      controller.abort(reason);
    };
    const timer = setTimeout(() => end(new NoAnswer(timeoutMs)), timeoutMs);
    this.#calls.add(end);
    try {
      return await Promise.race([
        this.#handler.perform(state, message, { idempotencyKey: message.id, attempt, signal: controller.signal }),
        ended,
      ]);
    } finally {
      clearTimeout(timer);
      this.#calls.delete(end);
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
    this.#retries.add(pause);
    if (!this.#isStopping) await pause.wait(ms);
    this.#retries.delete(pause);
    if (this.#isStopping) throw new Stopped('the service stops');
  }
}

/** Records without a key of their own (malformed ones) wait for nobody. */
function keyOf({ decoded, incoming }: Received): string {
  return decoded.kind === 'message'
    ? decoded.message.key
    : `${incoming.topic}/${incoming.partition}/${incoming.offset}`;
}

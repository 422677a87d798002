import type { AnyMessage } from '@millrace/contracts';
import { together } from '@millrace/database';
import { naturalBatches } from '../batching/natural-batches.ts';
import type { PerformHandler } from '../handlers/handler.ts';
import type { LoadedStates } from '../handlers/state-store.ts';
import { settledAlready } from '../inbox/inbox.ts';
import { renewLeases } from '../parking/leases.ts';
import { parkedAlready } from '../parking/parked-rows.ts';
import { queueKeyOf } from '../parking/queues.ts';
import { type Retrier, RetryLoop } from '../parking/retry-loop.ts';
import { endLeft } from '../spans/settled-spans.ts';
import { applyDecisions } from './apply-decisions.ts';
import { Caller } from './caller.ts';
import { KeyedQueue } from './keyed-queue.ts';
import type { Tracked } from './offset-tracker.ts';
import { Pause } from './pause.ts';
import type { Received } from './received.ts';
import { type GroupContext, Settlement, Stopped } from './settlement.ts';
import type { Worker, WorkerEvents } from './worker.ts';

// Outcomes that arrive while a transaction runs share the next one, up to this many.
const MAX_OUTCOMES = 500;

// A call that is cut off may have acted or not, which not every other side can tell apart: a mail would be sent twice.
const FINISH_WITHIN_MS = 3000;

// What a lease must cover besides the call: reading before it and recording after it.
const LEASE_BEYOND_CALL_MS = 5000;

// A parked message that waited so long for a free slot renews its lease before it calls.
const RENEW_AFTER_MS = LEASE_BEYOND_CALL_MS / 5;

// What comes for a parked key is in no hurry. A statement in every batch would cost the others more than one now and then.
const QUEUE_LINGER_MS = 100;

// With nearly all slots taken, those that come free are given out together: what begins together shares its statements. A part of the
// slots is enough to begin at once; for fewer, others are waited for, and not for long, because the rest may be taken by calls that hang.
const PART_TO_BEGIN_AT_ONCE = 8;
const GATHER_SLOTS_MS = 10;

// Parked messages take at most this part of the calls, so that they never keep those that flow waiting.
const SHARE_OF_RETRIES = 4;

// oxlint-disable-next-line typescript/no-explicit-any
type AnyPerformHandler = PerformHandler<any, any, any>;

/** One record under work, and what is to be done once it is settled or left. */
interface Job {
  readonly received: Received;
  readonly settled: () => void;
  readonly over: () => void;
}

/** What a call brought, why it failed, or that nobody was called because the key is parked. */
type Result =
  | { readonly received: Received; readonly kind: 'called'; readonly outcome: unknown }
  | { readonly received: Received; readonly kind: 'failed'; readonly error: unknown }
  | { readonly received: Received; readonly kind: 'uncalled' };

/** What is known before the calls. */
interface Found {
  readonly settled: ReadonlySet<string>;
  readonly parkedKeys: ReadonlySet<string>;
  /** Keys of which a parked message may be tried here. */
  readonly leased: ReadonlySet<string>;
  readonly states: LoadedStates<unknown, AnyMessage>;
}

/**
 * Works for `perform` handlers: calls run side by side, one at a time per key and in its order; their outcomes are settled in
 * batches. A slow call holds up its own key and the offsets behind it, nothing else; a failed one is parked and holds up its key only.
 */
export class CallWorker implements Worker, Retrier {
  readonly #context: GroupContext;
  readonly #handler: AnyPerformHandler;
  readonly #events: WorkerEvents;
  readonly #settlement: Settlement;
  readonly #caller: Caller;
  readonly #settle: (result: Result) => Promise<void>;
  readonly #queue = new KeyedQueue<Job>();
  readonly #underway = new Set<Promise<void>>();
  readonly retries: RetryLoop;
  readonly messages = 1;
  readonly leaseMs: number;
  readonly #company = new Pause();
  #due: Job[] = [];
  #retrying = 0;
  #slots: number;
  #isBeginning = false;
  #gathering: NodeJS.Timeout | undefined;
  #isStopping = false;

  constructor(context: GroupContext, handler: AnyPerformHandler, events: WorkerEvents) {
    this.#context = context;
    this.#handler = handler;
    this.#events = events;
    this.#slots = handler.concurrency;
    this.leaseMs = handler.timeoutMs + LEASE_BEYOND_CALL_MS;
    const outageChanged = (): void => {
      events.outageChanged();
      this.retries.soon(0);
    };
    this.#caller = new Caller(context, handler, outageChanged);
    this.#settlement = new Settlement(context, handler, {
      outage: outageChanged,
      parked: (dueInMs) => this.retries.soon(dueInMs),
    });
    this.retries = new RetryLoop(context, this.#settlement, this);
    this.#settle = naturalBatches((results: readonly Result[]) => this.#settleAll(results), { maxItems: MAX_OUTCOMES });
  }

  get outage(): string | undefined {
    return this.#settlement.outage ?? this.#caller.outage;
  }

  get room(): number {
    if (this.#isStopping || this.outage !== undefined) return 0;
    return Math.max(0, Math.ceil(this.#handler.concurrency / SHARE_OF_RETRIES) - this.#retrying);
  }

  accept(records: readonly Tracked[]): void {
    if (this.#isStopping) return;
    for (const tracked of records) {
      const received = this.#settlement.received(tracked.incoming);
      const key = keyOf(received);
      this.#queue.push(key, {
        received,
        settled: () => this.#events.settled([tracked]),
        over: () => this.#queue.release(key),
      });
    }
    this.#beginSoon();
  }

  async retry(messages: readonly Received[]): Promise<void> {
    if (this.#isStopping) return;
    this.#retrying += messages.length;
    const all = messages.map((received) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#due.push({ received, settled: () => undefined, over: resolve });
      return promise.finally(() => (this.#retrying -= 1));
    });
    this.#beginSoon();
    await Promise.all(all);
  }

  forget(): void {
    this.#queue.clear();
    this.#caller.forget();
  }

  async stop(): Promise<void> {
    this.#beginNothingMore();
    const cutOff = setTimeout(() => this.#caller.cutOff(), FINISH_WITHIN_MS);
    while (this.#underway.size > 0) await Promise.all(this.#underway);
    clearTimeout(cutOff);
    await this.retries.stop();
  }

  #beginNothingMore(): void {
    this.#isStopping = true;
    clearTimeout(this.#gathering);
    this.#queue.clear();
    for (const { over } of this.#due.splice(0)) over();
    this.#settlement.stop();
    this.#caller.stop();
    this.#company.wake();
  }

  /** Calls that end in one settlement free their slots together: what begins next shares its statements. */
  #beginSoon(): void {
    // Without a free slot: soon enough when a call ends.
    if (this.#isBeginning || this.#slots === 0) return;
    if (this.#slots * PART_TO_BEGIN_AT_ONCE < this.#handler.concurrency) {
      this.#gathering ??= setTimeout(() => this.#begin(), GATHER_SLOTS_MS);
      return;
    }
    this.#isBeginning = true;
    setImmediate(() => this.#begin());
  }

  #begin(): void {
    this.#isBeginning = false;
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#isStopping) return;
    const due = this.#due.splice(0, this.#slots);
    const ready = [...due, ...this.#queue.take(this.#slots - due.length)];
    if (ready.length === 0) return;
    this.#slots -= ready.length;
    const underway: Promise<void> = this.#handle(ready).finally(() => this.#underway.delete(underway));
    this.#underway.add(underway);
  }

  /** Reads what a set of records needs in a few statements, then lets each go its own way. Never rejects. */
  async #handle(ready: readonly Job[]): Promise<void> {
    let found: Found;
    try {
      found = await this.#settlement.whenAvailable(() => this.#find(ready.map(({ received }) => received)));
    } catch (error) {
      // A message whose state cannot be read must not stop the others: each is tried alone, and the culprit has failed.
      if (ready.length > 1 && !(error instanceof Stopped)) {
        await Promise.all(ready.map((job) => this.#handle([job])));
        return;
      }
      const result = ({ received }: Job): Promise<Result> => {
        if (error instanceof Stopped) throw error;
        return Promise.resolve({ received, kind: 'failed', error });
      };
      await Promise.all(ready.map((job) => this.#finish(job, async () => result(job))));
      return;
    }
    await Promise.all(ready.map((job) => this.#finish(job, () => this.#work(job.received, found))));
  }

  async #find(ready: readonly Received[]): Promise<Found> {
    const { database, group } = this.#context;
    const messages = ready.flatMap(({ decoded }) => (decoded.kind === 'message' ? [decoded.message] : []));
    const arriving = ready.flatMap(({ decoded, parked }) =>
      decoded.kind === 'message' && parked === undefined ? [decoded.message] : [],
    );
    const isAnyArriving = arriving.length > 0;
    const ids = arriving.map(({ id }) => id);
    const keys = arriving.map(({ key }) => key);
    const places = ready.flatMap(({ parked }) => parked ?? []);
    const [settled, parkedKeys, states] = await database.onOneSession((db) =>
      together([
        isAnyArriving ? settledAlready(db, group, ids) : new Set<string>(),
        isAnyArriving ? parkedAlready(db, group, keys) : new Set<string>(),
        this.#handler.store.load(db, messages, { lock: false }),
      ]),
    );
    // Last: from here on a lease must last for the call.
    const old = places.filter(({ leasedAtMs }) => performance.now() - leasedAtMs >= RENEW_AFTER_MS);
    const renewed = await renewLeases(database, group, old, this.leaseMs);
    const fresh = places.filter((place) => !old.includes(place)).map(({ key }) => key);
    return { settled, parkedKeys, states, leased: new Set([...fresh, ...renewed]) };
  }

  async #work(received: Received, { settled, parkedKeys, leased, states }: Found): Promise<Result> {
    const { decoded, parked } = received;
    if (parked !== undefined && !leased.has(parked.key)) throw new Stopped('another replica has taken the key on');
    if (decoded.kind !== 'message') return { received, kind: 'called', outcome: undefined };
    const { message } = decoded;
    if (parked === undefined && settled.has(message.id)) return { received, kind: 'called', outcome: undefined };
    if (parked === undefined && parkedKeys.has(message.key)) return { received, kind: 'uncalled' };
    this.#settlement.begin(received);
    try {
      return { received, kind: 'called', outcome: await this.#caller.call(received, message, states.of(message)) };
    } catch (error) {
      if (error instanceof Stopped) throw error;
      return { received, kind: 'failed', error };
    }
  }

  /**
   * Settles what `work` brings. The slot is free when the call has ended, so that calls go on while outcomes gather for the next
   * transaction; the key only when the outcome is recorded. Never rejects.
   */
  async #finish(job: Job, work: () => Promise<Result>): Promise<void> {
    const { received, settled, over } = job;
    try {
      const result = await work().finally(() => {
        this.#slots += 1;
        this.#beginSoon();
      });
      if (result.kind === 'uncalled') await this.#queueUp(job);
      else await this.#settle(result);
      settled();
    } catch (error) {
      endLeft(received, error);
      if (error instanceof Stopped) return;
      // The next record of this key must not overtake the one that could not be settled.
      this.#beginNothingMore();
      this.#events.failed(error);
    } finally {
      over();
      this.#beginSoon();
    }
  }

  /** Takes along what comes of the same key meanwhile: one by one they would hold up the others of their partition. */
  async #queueUp({ received }: Job): Promise<void> {
    await this.#company.wait(QUEUE_LINGER_MS);
    const behind = this.#queue.takeRest(keyOf(received));
    const all = [received, ...behind.map((job) => job.received)];
    await Promise.all(all.map((each) => this.#settle({ received: each, kind: 'uncalled' })));
    for (const { settled } of behind) settled();
  }

  async #settleAll(results: readonly Result[]): Promise<void[]> {
    const outcomes = new Map<AnyMessage, unknown>();
    const failed = new Map<Received, unknown>();
    const uncalled = new Set<Received>();
    for (const result of results) {
      const { received } = result;
      if (result.kind === 'failed') failed.set(received, result.error);
      else if (result.kind === 'uncalled') uncalled.add(received);
      else if (received.decoded.kind === 'message') outcomes.set(received.decoded.message, result.outcome);
    }
    await this.#settlement.settle(
      results.map(({ received }) => received),
      applyDecisions(this.#context.service, this.#handler.store, (state, message, decision) =>
        this.#handler.decide(state, message, outcomes.get(message), decision),
      ),
      { failed, uncalled },
    );
    return results.map(() => undefined);
  }
}

/** Records that wait under no key (malformed ones) wait for nobody. */
function keyOf(received: Received): string {
  const { topic, partition, offset } = received.incoming;
  return queueKeyOf(received) ?? `${topic}/${partition}/${offset}`;
}

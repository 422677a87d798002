import type { Transaction } from '@millrace/database';
import type { DecideHandler, ProjectHandler } from '../handlers/handler.ts';
import { type Retrier, RetryLoop } from '../parking/retry-loop.ts';
import { applyDecisions } from './apply-decisions.ts';
import type { Tracked } from './offset-tracker.ts';
import { Pause } from './pause.ts';
import type { Received } from './received.ts';
import { type ApplyFresh, NOTHING_LEFT } from './settle-batch.ts';
import { type GroupContext, Settlement, Stopped } from './settlement.ts';
import type { Worker, WorkerEvents } from './worker.ts';

// One transaction for this many messages: beyond it the statement's cost grows as fast as its yield, and locks last longer.
const MAX_BATCH_SIZE = 500;

// Parked keys that are tried in one transaction.
const MAX_KEYS = 50;

// A transaction takes milliseconds. A replica that died with a key keeps it waiting for this long.
const LEASE_MS = 5000;

/** Works for `decide` and `project` handlers: one batch, one transaction; what arrives meanwhile forms the next batch. */
export class BatchWorker implements Worker, Retrier {
  readonly #settlement: Settlement;
  readonly #apply: ApplyFresh;
  readonly #events: WorkerEvents;
  readonly #lingerMs: number;
  readonly #company = new Pause();
  readonly retries: RetryLoop;
  readonly messages = MAX_BATCH_SIZE;
  readonly leaseMs = LEASE_MS;
  #waiting: Tracked[] = [];
  #running: Promise<void> | undefined;
  #isRetrying = false;
  #isStopping = false;

  constructor(
    context: GroupContext,
    // oxlint-disable-next-line typescript/no-explicit-any
    handler: DecideHandler<any, any> | ProjectHandler<any>,
    events: WorkerEvents,
  ) {
    this.#settlement = new Settlement(context, handler, {
      outage: () => {
        events.outageChanged();
        this.retries.soon(0);
      },
      parked: (dueInMs) => this.retries.soon(dueInMs),
    });
    this.retries = new RetryLoop(context, this.#settlement, this);
    this.#events = events;
    this.#lingerMs = handler.kind === 'project' ? handler.lingerMs : 0;
    this.#apply =
      handler.kind === 'decide'
        ? applyDecisions(context.service, handler.store, (state, message, decision) =>
            handler.decide(state, message, decision),
          )
        : applyProjection(handler);
  }

  get outage(): string | undefined {
    return this.#settlement.outage;
  }

  get room(): number {
    return this.#isRetrying || this.#isStopping || this.outage !== undefined ? 0 : MAX_KEYS;
  }

  accept(records: readonly Tracked[]): void {
    if (this.#isStopping) return;
    // One by one: a compressed batch can hold more records than a call may have arguments.
    for (const record of records) this.#waiting.push(record);
    if (this.#waiting.length >= MAX_BATCH_SIZE) this.#company.wake();
    this.#running ??= this.#run();
  }

  async retry(messages: readonly Received[]): Promise<void> {
    this.#isRetrying = true;
    try {
      await this.#settlement.settle(messages, this.#apply);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isRetrying = false;
    }
  }

  forget(): void {
    this.#waiting = [];
  }

  async stop(): Promise<void> {
    this.#beginNothingMore();
    await Promise.all([this.#running, this.retries.stop()]);
  }

  #beginNothingMore(): void {
    this.#isStopping = true;
    this.#waiting = [];
    this.#settlement.stop();
    this.#company.wake();
  }

  async #run(): Promise<void> {
    // The records of one fetch arrive partition by partition in one turn of the event loop: let them share a batch.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.#waiting.length > 0) {
        if (this.#lingerMs > 0 && this.#waiting.length < MAX_BATCH_SIZE) await this.#company.wait(this.#lingerMs);
        const batch = this.#waiting.splice(0, MAX_BATCH_SIZE);
        if (batch.length === 0) break;
        await this.#settlement.settle(
          batch.map(({ incoming }) => this.#settlement.received(incoming)),
          this.#apply,
        );
        this.#events.settled(batch);
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      // In the same turn as the last look at what waits: records that arrive later find nobody running and start again.
      this.#running = undefined;
    }
  }

  /** What comes next must not overtake what could not be settled. */
  #failed(error: unknown): void {
    this.#beginNothingMore();
    if (!(error instanceof Stopped)) this.#events.failed(error);
  }
}

// oxlint-disable-next-line typescript/no-explicit-any
function applyProjection(handler: ProjectHandler<any>): ApplyFresh {
  return async (tx: Transaction, fresh) => {
    await handler.project(
      tx,
      fresh.map(({ message }) => message),
    );
    return NOTHING_LEFT;
  };
}

import type { Transaction } from '@millrace/database';
import type { DecideHandler, ProjectHandler } from '../handlers/handler.ts';
import { applyDecisions } from './apply-decisions.ts';
import type { Tracked } from './offset-tracker.ts';
import { Pause } from './pause.ts';
import { storePositions } from './projection-position.ts';
import { type ApplyFresh, type GroupContext, Settlement, Stopped } from './settlement.ts';
import type { Worker, WorkerEvents } from './worker.ts';

// One transaction for this many messages: beyond it the statement's cost grows as fast as its yield, and locks last longer.
const MAX_BATCH_SIZE = 500;

/** Works for `decide` and `project` handlers: one batch, one transaction; what arrives meanwhile forms the next batch. */
export class BatchWorker implements Worker {
  readonly #settlement: Settlement;
  readonly #apply: ApplyFresh;
  readonly #events: WorkerEvents;
  readonly #lingerMs: number;
  readonly #company = new Pause();
  #waiting: Tracked[] = [];
  #running: Promise<void> | undefined;
  #isStopping = false;

  constructor(
    context: GroupContext,
    // oxlint-disable-next-line typescript/no-explicit-any
    handler: DecideHandler<any, any> | ProjectHandler<any>,
    events: WorkerEvents,
  ) {
    this.#settlement = new Settlement(context, handler);
    this.#events = events;
    this.#lingerMs = handler.kind === 'project' ? handler.lingerMs : 0;
    this.#apply =
      handler.kind === 'decide'
        ? applyDecisions(context.service, handler.store, (state, message, decision) =>
            handler.decide(state, message, decision),
          )
        : applyProjection(context, handler);
  }

  get outage(): string | undefined {
    return this.#settlement.outage;
  }

  accept(records: readonly Tracked[]): void {
    if (this.#isStopping) return;
    // One by one: a compressed batch can hold more records than a call may have arguments.
    for (const record of records) this.#waiting.push(record);
    if (this.#waiting.length >= MAX_BATCH_SIZE) this.#company.wake();
    this.#running ??= this.#run();
  }

  forget(): void {
    this.#waiting = [];
  }

  async stop(): Promise<void> {
    this.#beginNothingMore();
    await this.#running;
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
          batch.map((tracked) => this.#settlement.received(tracked)),
          this.#apply,
        );
        this.#events.settled(batch);
      }
    } catch (error) {
      // What comes next must not overtake what could not be settled.
      this.#beginNothingMore();
      if (!(error instanceof Stopped)) this.#events.failed(error);
    } finally {
      // In the same turn as the last look at what waits: records that arrive later find nobody running and start again.
      this.#running = undefined;
    }
  }
}

// oxlint-disable-next-line typescript/no-explicit-any
function applyProjection({ group }: GroupContext, handler: ProjectHandler<any>): ApplyFresh {
  return async (tx: Transaction, fresh) => {
    await handler.project(
      tx,
      fresh.map(({ message }) => message),
    );
    await storePositions(
      tx,
      group,
      fresh.map(({ received }) => received.incoming),
    );
    return { records: [], failures: new Map() };
  };
}

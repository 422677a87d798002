import type { AnyContract } from '@millrace/contracts';
import type { EachBatchPayload, Kafka } from '../kafka/client.ts';
import { placeOf } from '../kafka/place-of.ts';
import { recordsOf } from '../kafka/records-of.ts';
import { FairQueue } from './fair-queue.ts';
import { FetchGate } from './fetch-gate.ts';
import { GroupClient } from './group-client.ts';
import { ReceivingMetrics } from './group-metrics.ts';
import { OffsetCommits } from './offset-commits.ts';
import { OffsetTracker, type Tracked } from './offset-tracker.ts';
import { backoffMs, Pause } from './pause.ts';
import type { GroupContext } from './settlement.ts';
import type { Worker, WorkerEvents } from './worker.ts';

const MAX_BACKOFF_MS = 5000;

// With Kafka away neither the last commit nor the farewell arrives. Both are courtesies: the inbox absorbs what comes again, and
// the group notices a member that is gone.
const LEAVE_WITHIN_MS = 4000;

export interface ConsumerGroupOptions {
  readonly kafka: Kafka;
  readonly context: GroupContext;
  readonly topicPrefix: string;
  readonly hears: readonly AnyContract[];
  /** Where each partition goes on (`topic/partition` → offset) when the group keeps its own positions. */
  readonly positions?: () => Promise<ReadonlyMap<string, string>>;
  readonly worker: (events: WorkerEvents) => Worker;
  /** The consumer is dead for good. */
  readonly onFatal: (error: Error) => void;
}

/**
 * One member of a Kafka consumer group: fetches without waiting for the work, gives it to the worker by partition in turns, stops
 * fetching what fills its memory and everything while the worker has an outage, and commits offsets only of what is settled. None of
 * it costs the member its place in the group.
 */
export class ConsumerGroup {
  readonly #options: ConsumerGroupOptions;
  readonly #tracker = new OffsetTracker();
  readonly #waiting = new FairQueue();
  readonly #gate: FetchGate;
  readonly #worker: Worker;
  readonly #client: GroupClient;
  readonly #retry = new Pause();
  readonly #metrics: ReceivingMetrics;
  readonly #commits: OffsetCommits;
  #assigned: { topic: string; partitions: number[] }[] = [];
  /** It has its partitions, and knows where to go on. */
  #isReady = false;
  #isStopping = false;
  /** Why it does not know where to go on. */
  #problem: string | undefined;
  #death: string | undefined;

  constructor(options: ConsumerGroupOptions) {
    this.#options = options;
    const { context, hears, kafka, topicPrefix } = options;
    this.#client = new GroupClient({
      kafka,
      logger: context.logger,
      groupId: topicPrefix + this.name,
      topics: [...new Set(hears.map(({ topic }) => topicPrefix + topic.name))],
      onJoin: (assignment) => this.#onJoin(assignment),
      onLeft: () => {
        this.#isReady = false;
      },
      onRebalancing: () => {
        this.#isReady = false;
        void this.#commits.now();
      },
      onBatch: (payload) => this.#onBatch(payload),
      onFatal: (error) => this.#die(error),
    });
    this.#gate = new FetchGate({
      tracker: this.#tracker,
      consumer: () => this.#client.consumer,
      logger: options.context.logger,
      topicPrefix: options.topicPrefix,
    });
    this.#metrics = new ReceivingMetrics(options.context.metrics, this.name, this.#tracker, this.#gate, () =>
      this.#isReady ? this.#assigned.reduce((sum, { partitions }) => sum + partitions.length, 0) : 0,
    );
    this.#commits = new OffsetCommits({
      group: this.name,
      topicPrefix: options.topicPrefix,
      tracker: this.#tracker,
      consumer: () => this.#client.consumer,
      logger: options.context.logger,
    });
    this.#worker = options.worker({
      settled: (records) => this.#settled(records),
      failed: (error) => this.#die(error instanceof Error ? error : new Error(String(error))),
      outageChanged: () => this.#outageChanged(),
    });
  }

  get name(): string {
    return this.#options.context.group;
  }

  /** Why this group does no work at present; undefined when it does. */
  get outage(): string | undefined {
    if (this.#death !== undefined) return this.#death;
    if (this.#worker.outage !== undefined) return `waiting for ${this.#worker.outage}`;
    if (this.#isReady) return undefined;
    return this.#problem ?? this.#client.problem ?? 'joining the consumer group';
  }

  /** Joins the group; keeps trying while Kafka or a topic is missing. */
  start(): void {
    this.#client.start();
  }

  /** Stops fetching, finishes what is begun, commits, and leaves the group at once. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#client.stop();
    this.#retry.wake();
    this.#commits.stop();
    // Or what is fetched while the work is finished would be delivered, left alone and fetched again, without a pause.
    this.#gate.hold('stopping');
    await this.#worker.stop();
    const { promise: tooLate, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LEAVE_WITHIN_MS);
    await Promise.race([this.#client.leave(() => this.#commits.now()), tooLate]);
    clearTimeout(timer);
  }

  #die(cause: Error): void {
    if (this.#death !== undefined) return;
    this.#death = `died: ${cause.message}`;
    this.#gate.hold('dead');
    this.#options.onFatal(new Error(`consumer group ${this.name} died: ${cause.message}`, { cause }));
  }

  /** What is fetched during an outage would only wait in memory, here rather than where another replica could fetch it. */
  #outageChanged(): void {
    if (this.#worker.outage === undefined) this.#gate.release('outage');
    else this.#gate.hold('outage');
  }

  /** A new assignment: everything not committed is delivered again, so what waits in memory is dropped. */
  #onJoin(assignment: Record<string, number[]>): void {
    this.#assigned = Object.entries(assignment).map(([topic, partitions]) => ({ topic, partitions }));
    this.#metrics.assigned();
    this.#tracker.reset();
    this.#waiting.clear();
    this.#worker.forget();
    if (this.#options.positions) this.#gate.hold('positions');
    this.#gate.assign(this.#assigned);
    this.#problem = undefined;
    this.#options.context.logger.info({ group: this.name, partitions: this.#assigned }, 'joined the consumer group');
    if (this.#isStopping || this.#death !== undefined) return;
    if (this.#options.positions) void this.#seekPositions(this.#options.positions);
    else this.#isReady = true;
  }

  /** Goes on where the read model stands, not where Kafka thinks: a read model that was emptied is rebuilt. */
  async #seekPositions(positions: () => Promise<ReadonlyMap<string, string>>): Promise<void> {
    const assigned = this.#assigned;
    for (let attempt = 0; !this.#isStopping && assigned === this.#assigned; attempt++) {
      try {
        const known = await positions();
        if (assigned !== this.#assigned) return;
        for (const { topic, partitions } of assigned) {
          const name = topic.slice(this.#options.topicPrefix.length);
          for (const partition of partitions) {
            const next = known.get(placeOf(name, partition));
            if (next !== undefined) this.#tracker.goOn(name, partition, next);
            this.#client.consumer?.seek({ topic, partition, offset: next ?? '0' });
          }
        }
        this.#gate.release('positions');
        this.#isReady = true;
        // What a member before this one could not commit any more would look like lag for ever: it is not delivered again.
        this.#commits.soon();
        return;
      } catch (error) {
        this.#problem = `reading its positions: ${error instanceof Error ? error.message : String(error)}`;
        await this.#retry.wait(backoffMs(attempt, MAX_BACKOFF_MS));
      }
    }
  }

  /** A fault of what is done with the records is no flaw of the client: another one would meet it too. */
  #onBatch(payload: EachBatchPayload): Promise<void> {
    try {
      this.#receive(payload);
    } catch (error) {
      this.#die(error instanceof Error ? error : new Error(String(error)));
    }
    return Promise.resolve();
  }

  #receive(payload: EachBatchPayload): void {
    if (this.#isStopping || this.#death !== undefined || payload.isStale()) return;
    const { batch } = payload;
    const { topicPrefix } = this.#options;
    const records = recordsOf(batch, topicPrefix).map((record) => this.#tracker.track(record));
    this.#metrics.received(batch.topic.slice(topicPrefix.length), records.length);
    payload.resolveOffset(batch.lastOffset());
    this.#waiting.push(records);
    this.#gate.look();
    this.#handOver();
  }

  #settled(records: readonly Tracked[]): void {
    this.#tracker.done(records);
    this.#metrics.settled(records);
    if (this.#isStopping) return;
    this.#waiting.settled(records);
    this.#gate.look();
    this.#handOver();
    this.#commits.soon();
  }

  #handOver(): void {
    const records = this.#waiting.take();
    if (records.length > 0) this.#worker.accept(records);
  }
}

import type { AnyContract } from '@millrace/contracts';
import { type Consumer, type EachBatchPayload, type Kafka, RETRY } from '../kafka/client.ts';
import { placeOf } from '../kafka/place-of.ts';
import { recordsOf } from '../kafka/records-of.ts';
import { ClientWatch } from './client-watch.ts';
import { FairQueue } from './fair-queue.ts';
import { FetchGate } from './fetch-gate.ts';
import { ReceivingMetrics } from './group-metrics.ts';
import { OffsetCommits } from './offset-commits.ts';
import { OffsetTracker, type Tracked } from './offset-tracker.ts';
import { backoffMs, Pause } from './pause.ts';
import type { GroupContext } from './settlement.ts';
import type { Worker, WorkerEvents } from './worker.ts';

// A member learns of a rebalance when its long poll returns, and leaving waits for it too.
const MAX_WAIT_MS = 200;

// How soon a member notices that a topic was given more partitions. What is sent to them waits so long.
const METADATA_MAX_AGE_MS = 5000;

// One response of the broker, and one partition's part of it.
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_BYTES_PER_PARTITION = 512 * 1024;

const MAX_START_BACKOFF_MS = 5000;

// With Kafka away neither the last commit nor the farewell arrives. Both are courtesies: the inbox absorbs what comes again, and
// the group notices a member that is gone.
const LEAVE_WITHIN_MS = 4000;

const LOOK_AFTER_CLIENT_EVERY_MS = 1000;

// A client that fails for good once may have met a flaw of its own; one that does again so soon meets something that stays.
const FAILS_AGAIN_WITHIN_MS = 60_000;

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
  readonly #retry = new Pause();
  readonly #metrics: ReceivingMetrics;
  readonly #commits: OffsetCommits;
  #consumer: Consumer | undefined;
  #starting: Promise<void> | undefined;
  #assigned: { topic: string; partitions: number[] }[] = [];
  #isJoined = false;
  #isStopping = false;
  #problem: string | undefined;
  #death: string | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #watch = new ClientWatch();
  #failedAt = -Infinity;

  constructor(options: ConsumerGroupOptions) {
    this.#options = options;
    this.#gate = new FetchGate({
      tracker: this.#tracker,
      consumer: () => this.#consumer,
      logger: options.context.logger,
      topicPrefix: options.topicPrefix,
    });
    this.#metrics = new ReceivingMetrics(options.context.metrics, this.name, this.#tracker, this.#gate, () =>
      this.#isJoined ? this.#assigned.reduce((sum, { partitions }) => sum + partitions.length, 0) : 0,
    );
    this.#commits = new OffsetCommits({
      group: this.name,
      topicPrefix: options.topicPrefix,
      tracker: this.#tracker,
      consumer: () => this.#consumer,
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
    if (this.#isJoined) return undefined;
    return this.#problem ?? 'joining the consumer group';
  }

  /** Joins the group; keeps trying while Kafka or a topic is missing. */
  start(): void {
    if (this.#starting) return;
    this.#starting = this.#startUntilJoined();
    this.#watchdog = setInterval(() => this.#lookAfterClient(), LOOK_AFTER_CLIENT_EVERY_MS).unref();
  }

  /** Stops fetching, finishes what is begun, commits, and leaves the group at once. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#watchdog);
    this.#retry.wake();
    this.#commits.stop();
    // Or what is fetched while the work is finished would be delivered, left alone and fetched again, without a pause.
    this.#gate.hold('stopping');
    await this.#worker.stop();
    const { promise: tooLate, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LEAVE_WITHIN_MS);
    await Promise.race([this.#leave(), tooLate]);
    clearTimeout(timer);
  }

  async #leave(): Promise<void> {
    await this.#starting;
    await this.#commits.now();
    await this.#consumer?.disconnect().catch(() => undefined);
  }

  /** Replaces a client that fell silent: without this it would lie idle until somebody restarts the process. */
  #lookAfterClient(): void {
    const { silence } = this.#watch;
    if (silence === undefined || this.#consumer === undefined || this.#death !== undefined) return;
    this.#replaceClient(silence);
  }

  #replaceClient(why: string): void {
    const { logger } = this.#options.context;
    logger.warn({ group: this.name, problem: this.#problem }, `the Kafka client ${why}, starting anew`);
    const former = this.#consumer;
    this.#consumer = undefined;
    this.#isJoined = false;
    // Not waited for: what it hangs on is what it would wait for.
    void former?.disconnect().catch(() => undefined);
    this.#starting = this.#startUntilJoined();
  }

  #left(): void {
    this.#watch.left();
    this.#isJoined = false;
  }

  async #startUntilJoined(): Promise<void> {
    for (let attempt = 0; !this.#isStopping; attempt++) {
      const consumer = this.#newConsumer();
      try {
        await consumer.connect();
        await consumer.subscribe({
          topics: [...new Set(this.#options.hears.map(({ topic }) => this.#options.topicPrefix + topic.name))],
          fromBeginning: true,
        });
        if (this.#isStopping) return await consumer.disconnect();
        this.#consumer = consumer;
        this.#watch = new ClientWatch();
        await consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: 64,
          eachBatch: (payload) => {
            if (consumer === this.#consumer) this.#onBatch(payload);
            return Promise.resolve();
          },
        });
        return;
      } catch (error) {
        await consumer.disconnect().catch(() => undefined);
        const problem = error instanceof Error ? error.message : String(error);
        if (problem !== this.#problem) {
          this.#options.context.logger.warn({ group: this.name, err: error }, 'cannot join yet, trying again');
        }
        this.#problem = problem;
        await this.#retry.wait(backoffMs(attempt, MAX_START_BACKOFF_MS));
      }
    }
  }

  #newConsumer(): Consumer {
    const { kafka, topicPrefix } = this.#options;
    const consumer = kafka.consumer({
      groupId: topicPrefix + this.name,
      sessionTimeout: 6000,
      rebalanceTimeout: 10_000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: MAX_WAIT_MS,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      maxBytes: MAX_BYTES,
      maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
      allowAutoTopicCreation: false,
      // A consumer that crashed while it was being stopped would come back and keep its partitions.
      retry: { ...RETRY, restartOnFailure: () => Promise.resolve(!this.#isStopping) },
    });
    // A client that was replaced may still speak.
    const isCurrent = (): boolean => consumer === this.#consumer;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      if (isCurrent()) this.#onJoin(payload.memberAssignment);
    });
    consumer.on(consumer.events.REBALANCING, () => {
      if (!isCurrent()) return;
      this.#left();
      void this.#commits.now();
    });
    consumer.on(consumer.events.FETCH_START, ({ payload }) => {
      if (isCurrent()) this.#watch.asks(payload.nodeId);
    });
    consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
      if (!isCurrent()) return;
      this.#left();
      this.#problem = error.message;
      if (!restart && !this.#isStopping) this.#failed(error);
    });
    return consumer;
  }

  /** The client does not start again by itself. */
  #failed(error: Error): void {
    const isAgain = performance.now() - this.#failedAt < FAILS_AGAIN_WITHIN_MS;
    this.#failedAt = performance.now();
    if (isAgain) this.#die(error);
    else this.#replaceClient('failed');
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
    this.#watch.joined();
    this.#options.context.logger.info({ group: this.name, partitions: this.#assigned }, 'joined the consumer group');
    if (this.#isStopping || this.#death !== undefined) return;
    if (this.#options.positions) void this.#seekPositions(this.#options.positions);
    else this.#isJoined = true;
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
            this.#consumer?.seek({ topic, partition, offset: next ?? '0' });
          }
        }
        this.#gate.release('positions');
        this.#isJoined = true;
        // What a member before this one could not commit any more would look like lag for ever: it is not delivered again.
        this.#commits.soon();
        return;
      } catch (error) {
        this.#problem = `reading its positions: ${error instanceof Error ? error.message : String(error)}`;
        await this.#retry.wait(backoffMs(attempt, MAX_START_BACKOFF_MS));
      }
    }
  }

  /** A fault of what is done with the records is no flaw of the client: another one would meet it too. */
  #onBatch(payload: EachBatchPayload): void {
    try {
      this.#receive(payload);
    } catch (error) {
      this.#die(error instanceof Error ? error : new Error(String(error)));
    }
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

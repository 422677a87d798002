import type { Logger } from '@millrace/observability';
import { type Consumer, type EachBatchPayload, type Kafka, RETRY } from '../kafka/client.ts';
import { ClientWatch } from './client-watch.ts';
import { backoffMs, Pause } from './pause.ts';

// A member learns of a rebalance when its long poll returns, and leaving waits for it too.
const MAX_WAIT_MS = 200;

// How soon a member notices that a topic was given more partitions. What is sent to them waits so long.
const METADATA_MAX_AGE_MS = 5000;

// One response of the broker, and one partition's part of it.
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_BYTES_PER_PARTITION = 512 * 1024;

const MAX_START_BACKOFF_MS = 5000;
const LOOK_AFTER_CLIENT_EVERY_MS = 1000;

// A client that fails for good once may have met a flaw of its own; one that does again so soon meets something that stays.
const FAILS_AGAIN_WITHIN_MS = 60_000;

export interface GroupClientOptions {
  readonly kafka: Kafka;
  readonly logger: Logger;
  readonly groupId: string;
  readonly topics: readonly string[];
  /** The member has been given these partitions, by topic; what it had before it has no more. */
  readonly onJoin: (assignment: Record<string, number[]>) => void;
  /** The member has to join again before it is given anything. */
  readonly onLeft: () => void;
  /** As `onLeft`, and this is the moment to commit for the last time what it had. */
  readonly onRebalancing: () => void;
  /** Nothing is fetched, nor the group told that the member lives, until it resolves. Never rejects. */
  readonly onBatch: (payload: EachBatchPayload) => Promise<void>;
  /** Starting anew does not help. */
  readonly onFatal: (error: Error) => void;
}

/**
 * Keeps one member in its consumer group: joins, for as long as it takes, and puts a new client in the place of one that fell silent or
 * gave up. A client that was replaced is not heard any more, and does not come back.
 */
export class GroupClient {
  readonly #options: GroupClientOptions;
  readonly #retry = new Pause();
  #consumer: Consumer | undefined;
  #watch = new ClientWatch();
  #starting: Promise<void> | undefined;
  /** Counts the clients' places: only the last one may be filled. */
  #place = 0;
  #problem: string | undefined;
  #failedAt = -Infinity;
  #watchdog: NodeJS.Timeout | undefined;
  #isStopping = false;

  constructor(options: GroupClientOptions) {
    this.#options = options;
  }

  /** The client of the moment; undefined while there is none. */
  get consumer(): Consumer | undefined {
    return this.#consumer;
  }

  /** Why it is no member at present, as far as it is known. */
  get problem(): string | undefined {
    return this.#problem;
  }

  start(): void {
    if (this.#starting) return;
    this.#starting = this.#startUntilJoined();
    this.#watchdog = setInterval(() => {
      const { silence } = this.#watch;
      if (silence !== undefined && this.#consumer !== undefined) this.#replace(silence);
    }, LOOK_AFTER_CLIENT_EVERY_MS).unref();
  }

  /** Joins no more. A member that is in the group stays there until `leave`. */
  stop(): void {
    this.#isStopping = true;
    clearInterval(this.#watchdog);
    this.#retry.wake();
  }

  /** Leaves the group, after `farewell`. */
  async leave(farewell: () => Promise<void>): Promise<void> {
    await this.#starting;
    await farewell();
    await this.#consumer?.disconnect().catch(() => undefined);
  }

  #replace(why: string): void {
    const { logger, groupId: group } = this.#options;
    logger.warn({ group, problem: this.#problem }, `the Kafka client ${why}, starting anew`);
    const former = this.#consumer;
    this.#consumer = undefined;
    this.#options.onLeft();
    // Not waited for: what it hangs on is what it would wait for.
    void former?.disconnect().catch(() => undefined);
    this.#starting = this.#startUntilJoined();
  }

  async #startUntilJoined(): Promise<void> {
    const place = ++this.#place;
    const isWanted = (): boolean => !this.#isStopping && place === this.#place;
    for (let attempt = 0; isWanted(); attempt++) {
      const consumer = this.#newConsumer();
      try {
        await consumer.connect();
        await consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
        if (!isWanted()) return await consumer.disconnect();
        this.#consumer = consumer;
        this.#watch = new ClientWatch();
        await consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: 64,
          eachBatch: (payload) => (consumer === this.#consumer ? this.#options.onBatch(payload) : Promise.resolve()),
        });
        return;
      } catch (error) {
        await consumer.disconnect().catch(() => undefined);
        if (!isWanted()) return;
        const { logger, groupId: group } = this.#options;
        const problem = error instanceof Error ? error.message : String(error);
        if (problem !== this.#problem) logger.warn({ group, err: error }, 'cannot join yet, trying again');
        this.#problem = problem;
        await this.#retry.wait(backoffMs(attempt, MAX_START_BACKOFF_MS));
      }
    }
  }

  #newConsumer(): Consumer {
    const { kafka, groupId } = this.#options;
    const isCurrent = (): boolean => consumer === this.#consumer;
    const consumer = kafka.consumer({
      groupId,
      sessionTimeout: 6000,
      rebalanceTimeout: 10_000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: MAX_WAIT_MS,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      maxBytes: MAX_BYTES,
      maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
      allowAutoTopicCreation: false,
      // One that crashed while it was being stopped, or after it was replaced, would come back and keep partitions of which nobody
      // reads anything.
      retry: { ...RETRY, restartOnFailure: () => Promise.resolve(isCurrent() && !this.#isStopping) },
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      if (!isCurrent()) return;
      this.#problem = undefined;
      this.#watch.joined();
      this.#options.onJoin(payload.memberAssignment);
    });
    consumer.on(consumer.events.REBALANCING, () => {
      if (!isCurrent()) return;
      this.#watch.left();
      this.#options.onRebalancing();
    });
    consumer.on(consumer.events.FETCH_START, ({ payload }) => {
      if (isCurrent()) this.#watch.asks(payload.nodeId);
    });
    consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
      if (!isCurrent()) return;
      this.#problem = error.message;
      this.#watch.left();
      this.#options.onLeft();
      if (!restart && !this.#isStopping) this.#failed(error);
    });
    return consumer;
  }

  /** The client does not start again by itself. */
  #failed(error: Error): void {
    const isAgain = performance.now() - this.#failedAt < FAILS_AGAIN_WITHIN_MS;
    this.#failedAt = performance.now();
    if (isAgain) this.#options.onFatal(error);
    else this.#replace('gave up');
  }
}

import { randomUUID } from 'node:crypto';
import type { Logger } from '@millrace/observability';
import type { Consumer, EachBatchPayload, Kafka } from '../kafka/client.ts';
import type { Incoming } from '../runtime/incoming.ts';
import { backoffMs, Pause } from '../runtime/pause.ts';
import { Backlog, type Lane, type Offsets, type Taken } from './backlog.ts';

// One response of the broker, and one partition's part of it.
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_BYTES_PER_PARTITION = 256 * 1024;
const MAX_WAIT_MS = 200;

const MAX_BACKOFF_MS = 5000;

/**
 * Reads topics from given offsets without taking part in anything: as the only member of a group of its own, which commits
 * nothing and is deleted afterwards. Fetches ahead in bounded memory; what is handed out is up to limits of the caller.
 */
export class LogReader {
  readonly #kafka: Kafka;
  readonly #logger: Logger;
  readonly #prefix: string;
  readonly #family: string;
  readonly #groupId: string;
  readonly #backlog: Backlog;
  readonly #arrival = new Pause();
  readonly #retry = new Pause();
  #consumer: Consumer | undefined;
  #running: Promise<void> | undefined;
  #isClosing = false;
  #problem: string | undefined;

  constructor(options: {
    readonly kafka: Kafka;
    readonly logger: Logger;
    readonly topicPrefix: string;
    readonly projection: string;
    /** Where to begin, by `topic/partition`; other partitions are not read. */
    readonly from: Offsets;
  }) {
    this.#kafka = options.kafka;
    this.#logger = options.logger;
    this.#prefix = options.topicPrefix;
    // Never that of the projection, and never the same again: a reader that was taken for dead must not share the partitions.
    this.#family = `${options.topicPrefix}${options.projection}.replay.`;
    this.#groupId = this.#family + randomUUID();
    this.#backlog = new Backlog(options.from);
  }

  /** Why nothing arrives at present; undefined when it may. */
  get problem(): string | undefined {
    return this.#problem;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** As `Backlog.take`. */
  take(limits: Offsets, max: number, nexts: Offsets): Taken {
    return this.#backlog.take(limits, max, nexts);
  }

  /** What was taken is stored: it need not wait any more. */
  done(taken: Taken): void {
    for (const lane of this.#backlog.done(taken)) this.#fetch(lane, true);
  }

  /** Nothing below `low` exists any more: reading goes on there. */
  skipTo(topic: string, partition: number, low: bigint): void {
    const lane = this.#backlog.lane(topic, partition);
    if (lane === undefined || lane.fetchedTo >= low) return;
    lane.fetchedTo = low;
    this.#consumer?.seek({ topic: this.#prefix + lane.topic, partition: lane.partition, offset: low.toString() });
  }

  /** Resolves when something arrived, at the latest after `ms`. */
  more(ms: number): Promise<void> {
    return this.#arrival.wait(ms);
  }

  /** Ends a wait. */
  wake(): void {
    this.#arrival.wake();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#retry.wake();
    this.#arrival.wake();
    await this.#running;
    await this.#consumer?.disconnect().catch(() => undefined);
    await this.#deleteGroups();
  }

  /** Also those that readers of this projection left behind when they were killed. */
  async #deleteGroups(): Promise<void> {
    const admin = this.#kafka.admin();
    try {
      await admin.connect();
      const { groups } = await admin.listGroups();
      await admin.deleteGroups(groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(this.#family)));
    } catch (error) {
      // One that is not empty yet goes another time; Kafka forgets an empty group by itself, too.
      this.#logger.debug({ err: error, group: this.#groupId }, 'the group of a replay was not deleted');
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }

  async #run(): Promise<void> {
    const topics = this.#backlog.topics.map((topic) => this.#prefix + topic);
    for (let attempt = 0; !this.#isClosing; attempt++) {
      const consumer = this.#newConsumer();
      try {
        await consumer.connect();
        await consumer.subscribe({ topics, fromBeginning: true });
        this.#consumer = consumer;
        await consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: 64,
          eachBatch: (payload) => (consumer === this.#consumer ? this.#onBatch(payload) : Promise.resolve()),
        });
        return;
      } catch (error) {
        this.#consumer = undefined;
        await consumer.disconnect().catch(() => undefined);
        this.#problem = `Kafka: ${error instanceof Error ? error.message : String(error)}`;
        await this.#retry.wait(backoffMs(attempt, MAX_BACKOFF_MS));
      }
    }
  }

  #newConsumer(): Consumer {
    const consumer = this.#kafka.consumer({
      groupId: this.#groupId,
      sessionTimeout: 6000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: MAX_WAIT_MS,
      maxBytes: MAX_BYTES,
      maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 60, restartOnFailure: () => Promise.resolve(false) },
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      if (consumer === this.#consumer) this.#onJoin(payload.memberAssignment);
    });
    consumer.on(consumer.events.CRASH, ({ payload: { error } }) => {
      if (consumer !== this.#consumer || this.#isClosing) return;
      this.#problem = `Kafka: ${error.message}`;
      this.#consumer = undefined;
      // Not waited for: what it hangs on is what it would wait for.
      void consumer.disconnect().catch(() => undefined);
      this.#running = this.#retry.wait(backoffMs(1, MAX_BACKOFF_MS)).then(() => this.#run());
    });
    return consumer;
  }

  /** Goes on behind what was fetched: as the only member it keeps its partitions, and what waits stays. */
  #onJoin(assignment: Record<string, number[]>): void {
    for (const [name, partitions] of Object.entries(assignment)) {
      const topic = name.slice(this.#prefix.length);
      for (const partition of partitions) {
        const lane = this.#backlog.lane(topic, partition);
        if (lane === undefined) {
          this.#consumer?.pause([{ topic: name, partitions: [partition] }]);
          continue;
        }
        this.#consumer?.seek({ topic: name, partition, offset: lane.fetchedTo.toString() });
        this.#fetch(lane, !lane.isPaused);
      }
    }
    this.#problem = undefined;
  }

  #onBatch(payload: EachBatchPayload): Promise<void> {
    if (this.#isClosing || payload.isStale()) return Promise.resolve();
    const { batch } = payload;
    const topic = batch.topic.slice(this.#prefix.length);
    const lane = this.#backlog.lane(topic, batch.partition);
    if (lane === undefined) return Promise.resolve();
    const records = batch.messages.map((message): Incoming => ({
      topic,
      partition: batch.partition,
      offset: message.offset,
      timestampMs: Number(message.timestamp),
      key: message.key,
      value: message.value,
      headers: message.headers ?? {},
    }));
    const isFull = this.#backlog.push(lane, records);
    payload.resolveOffset(batch.lastOffset());
    if (isFull) this.#fetch(lane, false);
    this.#arrival.wake();
    return Promise.resolve();
  }

  /** Fetches a partition or pauses it. Does nothing while there is no group: the next join sets it right. */
  #fetch(lane: Lane, isOn: boolean): void {
    const place = [{ topic: this.#prefix + lane.topic, partitions: [lane.partition] }];
    try {
      if (isOn) this.#consumer?.resume(place);
      else this.#consumer?.pause(place);
    } catch (error) {
      this.#logger.debug({ err: error, group: this.#groupId }, 'no group to pause or resume');
    }
  }
}

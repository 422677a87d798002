import { randomUUID } from 'node:crypto';
import type { ConsumerConfig } from 'kafkajs';
import type { Incoming } from '../runtime/incoming.ts';
import { type Consumer, type EachBatchPayload, type Kafka, RETRY } from './client.ts';
import { recordsOf } from './records-of.ts';

/** What was fetched of one partition at once. */
export interface Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly Incoming[];
  /** Everything before this offset has been fetched. */
  readonly end: bigint;
}

export interface LoneConsumerOptions {
  readonly kafka: Kafka;
  /** As in `MessagingOptions`; the names of topics given and told are without it. */
  readonly topicPrefix: string;
  readonly topics: readonly string[];
  /** What the name of its group begins with. */
  readonly groupPrefix: string;
  readonly fetch: Pick<ConsumerConfig, 'maxWaitTimeInMs' | 'maxBytes' | 'maxBytesPerPartition'>;
  /** How often a request is tried again before it crashes. */
  readonly retries?: number;
  /** Where a partition goes on, asked whenever the group was joined; undefined: it is not read. */
  readonly nextOf: (topic: string, partition: number) => bigint | undefined;
  readonly onJoin?: () => void;
  readonly onFetched: (fetched: Fetched) => void;
  /** It fetches nothing any more, and does not come back by itself. */
  readonly onCrash: (error: Error) => void;
}

/**
 * Reads topics from given offsets without taking part in anything: as the only member of a group that nobody else has or had, which
 * commits nothing. Tells nothing any more once it is to disconnect. Whoever made it disconnects it, and deletes its group.
 */
export class LoneConsumer {
  readonly groupId: string;
  readonly #options: LoneConsumerOptions;
  readonly #consumer: Consumer;
  #isLeaving = false;

  constructor(options: LoneConsumerOptions) {
    const { kafka, groupPrefix, fetch, retries = RETRY.retries } = options;
    this.#options = options;
    this.groupId = groupPrefix + randomUUID();
    this.#consumer = kafka.consumer({
      ...fetch,
      groupId: this.groupId,
      sessionTimeout: 6000,
      heartbeatInterval: 500,
      allowAutoTopicCreation: false,
      retry: { ...RETRY, retries, restartOnFailure: () => Promise.resolve(false) },
    });
  }

  /** Resolves when it fetches. @throws {Error} Kafka or a topic is missing. */
  async run(): Promise<void> {
    const consumer = this.#consumer;
    const { topicPrefix, topics, onCrash } = this.#options;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.#onJoin(payload.memberAssignment));
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!this.#isLeaving) onCrash(payload.error);
    });
    await consumer.connect();
    await consumer.subscribe({ topics: topics.map((topic) => topicPrefix + topic), fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 64,
      eachBatch: (payload) => this.#onBatch(payload),
    });
  }

  /** @throws {Error} it is in no group at present. */
  pause(topic: string, partition: number): void {
    this.#consumer.pause([{ topic: this.#options.topicPrefix + topic, partitions: [partition] }]);
  }

  /** @throws {Error} it is in no group at present. */
  resume(topic: string, partition: number): void {
    this.#consumer.resume([{ topic: this.#options.topicPrefix + topic, partitions: [partition] }]);
  }

  /** @throws {Error} it is in no group at present. */
  seek(topic: string, partition: number, offset: bigint): void {
    this.#consumer.seek({ topic: this.#options.topicPrefix + topic, partition, offset: offset.toString() });
  }

  /** Never rejects. */
  async disconnect(): Promise<void> {
    this.#isLeaving = true;
    await this.#consumer.disconnect().catch(() => undefined);
  }

  #onJoin(assignment: Record<string, number[]>): void {
    if (this.#isLeaving) return;
    const { topicPrefix, nextOf, onJoin } = this.#options;
    for (const [name, partitions] of Object.entries(assignment)) {
      const topic = name.slice(topicPrefix.length);
      for (const partition of partitions) {
        const next = nextOf(topic, partition);
        if (next === undefined) this.pause(topic, partition);
        else this.seek(topic, partition, next);
      }
    }
    onJoin?.();
  }

  #onBatch(payload: EachBatchPayload): Promise<void> {
    if (this.#isLeaving || payload.isStale()) return Promise.resolve();
    const { batch } = payload;
    const { topicPrefix, onFetched } = this.#options;
    onFetched({
      topic: batch.topic.slice(topicPrefix.length),
      partition: batch.partition,
      records: recordsOf(batch, topicPrefix),
      end: BigInt(batch.lastOffset()) + 1n,
    });
    payload.resolveOffset(batch.lastOffset());
    return Promise.resolve();
  }
}

import { randomUUID } from 'node:crypto';
import { createLogger } from '@millrace/observability';
import { createKafka, type Kafka } from '../kafka/client.ts';
import { type OutgoingRecord, RecordProducer } from '../kafka/record-producer.ts';
import { declaredTopics, ensureTopics } from '../kafka/topic-step.ts';

/** A record as a test reads it back. */
export interface ReadRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string | null;
  readonly value: Buffer | null;
  /** As text; the values of one that repeats with commas between them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly rawHeaders: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
}

/**
 * The topics of one test file on the test run's broker (`MILLRACE_TEST_KAFKA_BROKERS`), apart from those of others by a prefix.
 * Names given and answered are without the prefix.
 */
export class TestTopics {
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly kafka: Kafka;
  readonly #producer: RecordProducer;

  constructor(brokers = process.env['MILLRACE_TEST_KAFKA_BROKERS'], prefix = `t${randomUUID().slice(0, 8)}.`) {
    if (!brokers) throw new Error('MILLRACE_TEST_KAFKA_BROKERS is not set: the test run starts Kafka and sets it');
    this.brokers = brokers.split(',');
    this.prefix = prefix;
    const logger = createLogger({ service: 'test', level: 'silent' });
    this.kafka = createKafka({ brokers: this.brokers, clientId: 'test', logger });
    this.#producer = new RecordProducer(this.kafka);
  }

  /** Creates all declared topics and the dead-letter topics of the groups. */
  async create(groups: readonly string[], { replicationFactor = 1 } = {}): Promise<void> {
    await ensureTopics(this.kafka, declaredTopics(groups), { replicationFactor, topicPrefix: this.prefix });
  }

  /** Appends records as they are: also ones that are no messages. */
  async send(records: readonly OutgoingRecord[]): Promise<void> {
    const written = await this.#producer.send(
      records.map((record) => ({ ...record, topic: this.prefix + record.topic })),
    );
    if (written.includes(undefined)) throw new Error('the broker did not acknowledge a test record');
  }

  /** Everything that a topic holds from its first record to its end at this moment. */
  async read(topic: string): Promise<readonly ReadRecord[]> {
    const name = this.prefix + topic;
    const ends = await this.#endsOf(name);
    const missing = new Map(
      ends.flatMap((end) => (end.high === end.low ? [] : [[end.partition, BigInt(end.high) - 1n]])),
    );
    const records: ReadRecord[] = [];
    if (missing.size === 0) return records;
    const consumer = this.kafka.consumer({ groupId: `${this.prefix}read.${randomUUID()}`, maxWaitTimeInMs: 50 });
    await consumer.connect();
    try {
      await consumer.subscribe({ topics: [name], fromBeginning: true });
      const { promise, resolve } = Promise.withResolvers<void>();
      await consumer.run({
        autoCommit: false,
        eachMessage: ({ partition, message }) => {
          const { offset, key, value, headers = {} } = message;
          records.push({
            topic,
            partition,
            offset,
            key: key?.toString() ?? null,
            value,
            headers: Object.fromEntries(Object.entries(headers).map(([header, bytes]) => [header, String(bytes)])),
            rawHeaders: headers,
          });
          if (BigInt(offset) >= (missing.get(partition) ?? -1n)) missing.delete(partition);
          if (missing.size === 0) resolve();
          return Promise.resolve();
        },
      });
      await promise;
    } finally {
      await consumer.disconnect();
    }
    return records;
  }

  async #endsOf(name: string): ReturnType<ReturnType<Kafka['admin']>['fetchTopicOffsets']> {
    const admin = this.kafka.admin();
    await admin.connect();
    try {
      return await admin.fetchTopicOffsets(name);
    } finally {
      await admin.disconnect();
    }
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }
}

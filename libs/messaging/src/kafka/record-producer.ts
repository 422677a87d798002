import { type Kafka, type Message, Partitioners, type Producer, type RecordMetadata } from 'kafkajs';
import { RETRY } from './client.ts';
import { placeOf } from './place-of.ts';

// A leader that moved is found at the second try. Whatever takes longer is tried again by the caller, who can say so meanwhile.
const SEND_RETRIES = 2;

/** A record to append. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  /** A header that repeats has its values in order. */
  readonly headers: Record<string, Buffer | string | (Buffer | string)[]>;
}

/** Where a record was written. `offset` is -1 where the broker had it already and does not tell. */
export interface Written {
  readonly partition: number;
  readonly offset: number;
}

/** By this name kafkajs asks for metadata again, and fails when that does not help. */
class OldMetadata extends Error {
  override readonly name = 'KafkaJSMetadataNotLoaded';
}

/**
 * Appends records: idempotent, acknowledged by all in-sync replicas, partitions chosen as Java's default partitioner does.
 * One call at a time keeps the order of each key.
 */
export class RecordProducer {
  readonly #kafka: Kafka;
  #producer: Producer | undefined;
  #chosen = new Map<Message, number>();
  #atLeast: ReadonlyMap<string, number> = new Map();

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  /**
   * Sends all records in one request per leader and answers, for each record, where its own partition wrote it; undefined when it did not.
   * kafkajs can resolve without having written a partition whose leader died, so only what was answered counts as written;
   * the caller sends the rest again. After an exception nothing is known: all of it must be sent again.
   * `atLeast`: how many partitions topics are known to have; nothing is sent by metadata that tells of fewer.
   */
  async send(
    records: readonly OutgoingRecord[],
    atLeast: ReadonlyMap<string, number> = new Map(),
  ): Promise<readonly (Written | undefined)[]> {
    const messages: Message[] = records.map(({ key, value, headers }) => ({ key, value, headers }));
    const byTopic = new Map<string, Message[]>();
    records.forEach(({ topic }, index) => {
      const message = messages[index];
      if (message === undefined) return;
      const list = byTopic.get(topic);
      if (list) list.push(message);
      else byTopic.set(topic, [message]);
    });
    this.#chosen = new Map();
    this.#atLeast = atLeast;
    let answers: RecordMetadata[];
    try {
      const producer = await this.#connected();
      answers = await producer.sendBatch({
        acks: -1,
        topicMessages: [...byTopic].map(([topic, list]) => ({ topic, messages: list })),
      });
    } catch (error) {
      // The sequence numbers of an idempotent producer that failed are in doubt: the next try starts with new ones.
      await this.disconnect();
      throw error;
    }
    // The offset of the next record of each partition that was written: a request keeps the order of its records.
    const next = new Map(
      answers
        .filter(({ errorCode }) => errorCode === 0)
        .map(({ topicName, partition, baseOffset }) => [placeOf(topicName, partition), Number(baseOffset ?? -1)]),
    );
    const written = records.map(({ topic }, index): Written | undefined => {
      const message = messages[index];
      const partition = message === undefined ? undefined : this.#chosen.get(message);
      if (partition === undefined) return undefined;
      const place = placeOf(topic, partition);
      const offset = next.get(place);
      if (offset === undefined) return undefined;
      if (offset >= 0) next.set(place, offset + 1);
      return { partition, offset };
    });
    // kafkajs would number the next records of a partition without an answer as it numbered these, and a broker that did write
    // them would take others of the same number and count for repetitions: acknowledged and thrown away.
    if (written.includes(undefined)) await this.disconnect();
    return written;
  }

  async disconnect(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.disconnect().catch(() => undefined);
  }

  async #connected(): Promise<Producer> {
    if (this.#producer) return this.#producer;
    const murmur2 = Partitioners.DefaultPartitioner();
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { ...RETRY, retries: SEND_RETRIES },
      createPartitioner: () => (args) => {
        const { length: known } = args.partitionMetadata;
        const needed = this.#atLeast.get(args.topic) ?? 0;
        if (known < needed) {
          throw new OldMetadata(`${args.topic} has ${needed} partitions, a broker tells of ${known}`);
        }
        const partition = this.#chosen.get(args.message) ?? murmur2(args);
        this.#chosen.set(args.message, partition);
        return partition;
      },
    });
    await producer.connect();
    this.#producer = producer;
    return producer;
  }
}

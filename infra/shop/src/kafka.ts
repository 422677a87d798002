import { createKafka, declaredTopics } from '@millrace/messaging/kafka';
import { createLogger } from '@millrace/observability';
import { consumerGroups } from './services.ts';

type Kafka = ReturnType<typeof createKafka>;

// What kafkajs would say here, the caller hears as an exception.
const logger = createLogger({ service: 'shop', level: 'silent' });

/** A client for whoever prepares or audits the shop. `retries` is for a caller that tries again by itself. */
export function kafkaOf(brokers: readonly string[], retries?: number): Kafka {
  return createKafka({ brokers, clientId: 'shop', logger, ...(retries === undefined ? {} : { retries }) });
}

/** Every topic of the shop, with those of the dead letters. */
export const shopTopics = declaredTopics(consumerGroups);

const isOfDeadLetters = (topic: string): boolean => topic.endsWith('.dlq');
const names: readonly string[] = shopTopics.map(({ name }) => name);

/** One per consumer group. */
export const deadLetterTopics = names.filter(isOfDeadLetters);

/** What the services say to each other. */
export const messageTopics = names.filter((name) => !isOfDeadLetters(name));

/** Offsets between which a partition holds its messages. */
export interface Ends {
  readonly low: number;
  /** That of the next message. */
  readonly high: number;
}

/** The ends of each partition, by topic. `admin` is connected. */
export async function endsOf(
  admin: ReturnType<Kafka['admin']>,
  topics: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<number, Ends>>> {
  const ends = new Map<string, ReadonlyMap<number, Ends>>();
  // One after the other: asked for two topics at once, kafkajs may look for the second in metadata of the first.
  for (const topic of topics) {
    const partitions = await admin.fetchTopicOffsets(topic);
    ends.set(
      topic,
      new Map(partitions.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }])),
    );
  }
  return ends;
}

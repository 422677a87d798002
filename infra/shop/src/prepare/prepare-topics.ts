import { ensureTopics, liveBrokers, raiseReplication, type SmallTopic } from '@millrace/messaging/kafka';
import { kafkaOf, shopTopics } from '../kafka.ts';

// With three replicas of everything, any one broker may be away. More brokers share the work, not more copies.
const WANTED_REPLICAS = 3;

export interface PreparedTopics {
  readonly replicationFactor: number;
  readonly created: readonly string[];
  /** Got more partitions. */
  readonly enlarged: readonly string[];
  /** Have fewer partitions than are declared and were left so: messages were written to them. */
  readonly tooSmall: readonly SmallTopic[];
  /** Got more replicas, or a higher `min.insync.replicas`. */
  readonly raised: readonly string[];
}

/**
 * Creates the topics that are missing, adds partitions to those that were never used, and raises replication, also of Kafka's
 * own topics, to three or as many brokers as there are. May be repeated, such as when brokers were added; never takes
 * anything away. Resolves when each partition has a leader and all its replicas are in sync.
 */
export async function prepareTopics(brokers: readonly string[]): Promise<PreparedTopics> {
  const kafka = kafkaOf(brokers);
  const replicationFactor = Math.min(WANTED_REPLICAS, await liveBrokers(kafka));
  const { created, enlarged, tooSmall } = await ensureTopics(kafka, shopTopics, { replicationFactor });
  const names = shopTopics.map(({ name }) => name);
  const raised = replicationFactor === 1 ? [] : await raiseReplication(kafka, names, { replicationFactor });
  return { replicationFactor, created, enlarged, tooSmall, raised };
}

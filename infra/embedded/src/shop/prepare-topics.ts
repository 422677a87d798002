import { createKafka, declaredTopics, ensureTopics } from '@millrace/messaging/kafka';
import { createLogger } from '@millrace/observability';
import { consumerGroups } from './services.ts';

// What kafkajs would say here, the caller hears as an exception.
const logger = createLogger({ service: 'embedded', level: 'silent' });

/** A client for whoever prepares or audits the shop. */
export function kafkaOf(brokers: readonly string[]): ReturnType<typeof createKafka> {
  return createKafka({ brokers, clientId: 'embedded', logger });
}

/** Every topic of the shop, with those of the dead letters. */
export const shopTopics = declaredTopics(consumerGroups);

/** Creates the topics that are missing; resolves when each has a leader. */
export async function prepareTopics(brokers: readonly string[]): Promise<void> {
  await ensureTopics(kafkaOf(brokers), shopTopics, { replicationFactor: Math.min(3, brokers.length) });
}

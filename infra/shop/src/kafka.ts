import { createKafka, declaredTopics } from '@millrace/messaging/kafka';
import { createLogger } from '@millrace/observability';
import { consumerGroups } from './services.ts';

// What kafkajs would say here, the caller hears as an exception.
const logger = createLogger({ service: 'shop', level: 'silent' });

/** A client for whoever prepares or audits the shop. `retries` is for a caller that tries again by itself. */
export function kafkaOf(brokers: readonly string[], retries?: number): ReturnType<typeof createKafka> {
  return createKafka({ brokers, clientId: 'shop', logger, ...(retries === undefined ? {} : { retries }) });
}

/** Every topic of the shop, with those of the dead letters. */
export const shopTopics = declaredTopics(consumerGroups);

import type { Incoming } from '../runtime/incoming.ts';
import type { EachBatchPayload } from './client.ts';

/** The records of a batch that kafkajs has fetched, under the declared name of their topic. */
export function recordsOf({ topic, partition, messages }: EachBatchPayload['batch'], topicPrefix: string): Incoming[] {
  const name = topic.slice(topicPrefix.length);
  return messages.map(({ offset, timestamp, key, value, headers = {} }) => ({
    topic: name,
    partition,
    offset,
    timestampMs: Number(timestamp),
    key,
    value,
    headers,
  }));
}

import type { Kafka } from '../kafka/client.ts';

/** Where a partition's log begins and where it ends at this moment. */
export interface Bounds {
  readonly topic: string;
  readonly partition: number;
  readonly low: bigint;
  readonly high: bigint;
  /** The first record that was appended at the given time or later; the end when there is none. */
  readonly since: bigint;
}

/** Looks where the logs of topics begin and end; `topics` and answers are without the prefix. */
export async function logBounds(
  kafka: Kafka,
  topics: readonly string[],
  { topicPrefix, since }: { readonly topicPrefix: string; readonly since?: Date | undefined },
): Promise<readonly Bounds[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const bounds: Bounds[] = [];
    // One after the other: asked for two topics at once, kafkajs may look for the second in metadata of the first.
    for (const topic of topics) {
      const ends = await admin.fetchTopicOffsets(topicPrefix + topic);
      const later =
        since === undefined ? [] : await admin.fetchTopicOffsetsByTimestamp(topicPrefix + topic, since.getTime());
      for (const { partition, low, high } of ends) {
        const found = later.find((each) => each.partition === partition)?.offset;
        const isKnown = found !== undefined && found !== '-1';
        bounds.push({
          topic,
          partition,
          low: BigInt(low),
          high: BigInt(high),
          since: since === undefined ? BigInt(low) : isKnown ? BigInt(found) : BigInt(high),
        });
      }
    }
    return bounds;
  } finally {
    await admin.disconnect();
  }
}

import { deadLetterTopic } from '@millrace/contracts';
import type { Kafka } from '../kafka/client.ts';
import type { Incoming } from '../runtime/incoming.ts';
import { type DeadLetter, letterOf } from './letter.ts';
import { LogFollower, type Start } from './log-follower.ts';

/**
 * All dead letters of the groups that their topics hold at this moment, in the order in which each partition got them. A group whose
 * topic does not exist has none.
 * @throws {Error} Kafka cannot be asked.
 */
export async function readLetters(
  kafka: Kafka,
  groups: readonly string[],
  { topicPrefix = '' }: { readonly topicPrefix?: string } = {},
): Promise<readonly DeadLetter[]> {
  const groupOf = new Map(groups.map((group) => [deadLetterTopic(group).name, group]));
  const starts = await nonEmptyPartitions(kafka, topicPrefix, [...groupOf.keys()]);
  if (starts.length === 0) return [];
  const letters: DeadLetter[] = [];
  const onRecord = (record: Incoming): void => {
    const group = groupOf.get(record.topic);
    if (group !== undefined) letters.push(letterOf(group, record));
  };
  const log = await LogFollower.open({ kafka, topicPrefix, starts, onRecord });
  try {
    await log.catchUp();
    return letters;
  } finally {
    await log.close();
  }
}

/** Where the partitions begin that hold anything. */
async function nonEmptyPartitions(
  kafka: Kafka,
  topicPrefix: string,
  topics: readonly string[],
): Promise<readonly Start[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const starts: Start[] = [];
    // One after the other: asked for two topics at once, kafkajs may look for the second in metadata of the first.
    for (const topic of topics.filter((name) => existing.has(topicPrefix + name))) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topicPrefix + topic)) {
        if (low !== high) starts.push({ topic, partition, offset: BigInt(low) });
      }
    }
    return starts;
  } finally {
    await admin.disconnect();
  }
}

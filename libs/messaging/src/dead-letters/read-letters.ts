import { deadLetterTopic } from '@millrace/contracts';
import type { Kafka } from '../kafka/client.ts';
import { type DeadLetter, letterOf } from './letter.ts';
import { LogReader, type Start } from './log-reader.ts';

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
  const groupOf = new Map(groups.map((group) => [topicPrefix + deadLetterTopic(group).name, group]));
  const starts = await nonEmptyPartitions(kafka, [...groupOf.keys()]);
  if (starts.length === 0) return [];
  const letters: DeadLetter[] = [];
  const reader = await LogReader.open(kafka, starts, (topic, record) => {
    const group = groupOf.get(topic);
    if (group !== undefined) letters.push(letterOf(group, record));
  });
  try {
    await reader.catchUp();
    return letters;
  } finally {
    await reader.close();
  }
}

/** Where the partitions begin that hold anything. */
async function nonEmptyPartitions(kafka: Kafka, topics: readonly string[]): Promise<readonly Start[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const starts: Start[] = [];
    // One after the other: asked for two topics at once, kafkajs may look for the second in metadata of the first.
    for (const topic of topics.filter((name) => existing.has(name))) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        if (low !== high) starts.push({ topic, partition, offset: BigInt(low) });
      }
    }
    return starts;
  } finally {
    await admin.disconnect();
  }
}

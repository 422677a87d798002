import { type Ends, endsOf, kafkaOf, messageTopics } from '../kafka.ts';
import type { ShopRecords } from '../running-shop.ts';
import { consumerGroups } from '../services.ts';

export interface UnreadMessages {
  /** `unread` names a group that has not handled all it hears; `ends` is the same text as long as nothing more was said. */
  find(): Promise<{ readonly unread: string | undefined; readonly ends: string }>;
  close(): Promise<void>;
}

// A group that has never committed a partition of a topic.
const NEVER = -1;

/** Compares what the consumer groups have committed with what the topics hold. The caller closes it. */
export async function unreadMessages({ brokers }: ShopRecords): Promise<UnreadMessages> {
  const admin = kafkaOf(brokers).admin();
  await admin.connect();

  async function unreadBy(group: string, ends: ReadonlyMap<string, ReadonlyMap<number, Ends>>): Promise<string[]> {
    const read = await admin.fetchOffsets({ groupId: group, topics: messageTopics });
    return read.flatMap(({ topic, partitions }) => {
      // Kafka does not tell which topics a group hears. One of which it never read anything is taken for one it does not.
      const isHeard = partitions.some(({ offset }) => Number(offset) !== NEVER);
      const count = partitions.reduce((sum, { partition, offset }) => {
        return sum + (ends.get(topic)?.get(partition)?.high ?? 0) - Math.max(0, Number(offset));
      }, 0);
      return isHeard && count > 0 ? [`${group} has ${count} messages of ${topic} to handle`] : [];
    });
  }

  return {
    async find() {
      const ends = await endsOf(admin, messageTopics);
      const unread = await Promise.all(consumerGroups.map((group) => unreadBy(group, ends)));
      const highs = [...ends].map(([topic, partitions]) => [
        topic,
        [...partitions].map(([id, { high }]) => [id, high]),
      ]);
      return { unread: unread.flat()[0], ends: JSON.stringify(highs) };
    },
    close: () => admin.disconnect(),
  };
}

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deadLetterTopic } from '@millrace/contracts';
import { TestTopics } from '../testing/test-topics.ts';
import { until } from '../testing/until.ts';
import type { Consumer } from './client.ts';

const GROUP = 'test.asking';

// What the watch over a member's client rests on: kafkajs promises it nowhere.
describe('a client that has nothing to fetch', () => {
  const topics = new TestTopics();
  const { name, partitions: PARTITIONS } = deadLetterTopic(GROUP);
  const topic = topics.prefix + name;
  const consumers: Consumer[] = [];
  beforeAll(() => topics.create([GROUP]));
  afterAll(async () => {
    await Promise.all(consumers.map((consumer) => consumer.disconnect()));
    await topics.close();
  });

  /** A new member of the group, and how often it has asked since it joined last. */
  const member = async (onJoin: (consumer: Consumer, partitions: readonly number[]) => void) => {
    const consumer = topics.kafka.consumer({ groupId: topics.prefix + GROUP, maxWaitTimeInMs: 50 });
    consumers.push(consumer);
    const seen = { partitions: undefined as readonly number[] | undefined, asked: 0 };
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      seen.partitions = payload.memberAssignment[topic] ?? [];
      seen.asked = 0;
      onJoin(consumer, seen.partitions);
    });
    consumer.on(consumer.events.FETCH_START, () => (seen.asked += 1));
    await consumer.connect();
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({ eachBatch: () => Promise.resolve() });
    return seen;
  };

  it('asks all the same: with every partition paused, or with none of its own', async () => {
    const paused = await member((consumer, partitions) => consumer.pause([{ topic, partitions: [...partitions] }]));
    await until('the paused one goes on asking', () => paused.asked > 5);
    const others = await Promise.all(Array.from({ length: 3 }, () => member(() => undefined)));
    const all = [paused, ...others];
    // Of one generation: a member that hears late of the last one still has what it owned before.
    const owned = () => all.flatMap(({ partitions = [] }) => partitions).length;
    const isShared = () => owned() === PARTITIONS && all.some(({ partitions }) => partitions?.length === 0);
    await until(
      'all of them go on asking, some with no partition',
      () => isShared() && all.every(({ asked }) => asked > 5),
    );
    expect(PARTITIONS).toBeLessThan(all.length);
  });
});

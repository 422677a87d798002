import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue, deadLetterTopic, type Topic, topics as declared } from '@millrace/contracts';
import { TestTopics } from '../testing/test-topics.ts';
import { declaredTopics, ensureTopics, topicConfigs } from './topic-step.ts';

const nothingToDo = { created: [], enlarged: [], tooSmall: [] };

describe('the topic step', () => {
  let topics: TestTopics;

  beforeAll(() => {
    topics = new TestTopics();
  });
  afterAll(async () => {
    await topics.close();
  });

  const ensure = (wanted: readonly Topic[]): ReturnType<typeof ensureTopics> =>
    ensureTopics(topics.kafka, wanted, { replicationFactor: 1, topicPrefix: topics.prefix });
  const partitionsOf = async (name: string): Promise<number> => {
    const admin = topics.kafka.admin();
    await admin.connect();
    try {
      return (await admin.fetchTopicOffsets(topics.prefix + name)).length;
    } finally {
      await admin.disconnect();
    }
  };

  it('declares every topic that a message is said on, and the dead letters of each group', () => {
    const names = declaredTopics(['test.one', 'test.two']).map(({ name }) => name);
    expect(new Set(names)).toEqual(
      new Set([...catalogue.map(({ topic }) => topic.name), 'test.one.dlq', 'test.two.dlq']),
    );
    expect(names).toHaveLength(new Set(names).size);
  });

  it('creates topics as they are declared, and changes nothing when it runs again', async () => {
    const wanted = [declared.orderEvents, declared.catalogEvents, deadLetterTopic('test.group')];
    const names = wanted.map(({ name }) => topics.prefix + name);
    expect(await ensure(wanted)).toEqual({ created: names, enlarged: [], tooSmall: [] });
    const configs = await topicConfigs(topics.kafka, names);
    const [orders, catalog, letters] = names.map((name) => configs.get(name));
    expect(orders?.get('cleanup.policy')).toBe('delete');
    expect(orders?.get('retention.ms')).toBe(String(7 * 24 * 60 * 60 * 1000));
    expect(catalog?.get('cleanup.policy')).toBe('compact');
    expect(letters?.get('retention.ms')).toBe(String(30 * 24 * 60 * 60 * 1000));
    expect(Number(letters?.get('max.message.bytes'))).toBeGreaterThan(Number(orders?.get('max.message.bytes')));
    for (const { name, partitions } of wanted) expect(await partitionsOf(name)).toBe(partitions);
    expect(await ensure(wanted)).toEqual(nothingToDo);
    expect(await topicConfigs(topics.kafka, names)).toEqual(configs);
  });

  it('adds partitions that are missing where nothing was ever written, and takes none away', async () => {
    const topic = { ...declared.shippingEvents, name: 'growing.events.v1' };
    const name = topics.prefix + topic.name;
    await ensure([{ ...topic, partitions: 2 }]);
    expect(await ensure([{ ...topic, partitions: 5 }])).toEqual({ ...nothingToDo, enlarged: [name] });
    expect(await partitionsOf(topic.name)).toBe(5);
    expect(await ensure([{ ...topic, partitions: 3 }])).toEqual(nothingToDo);
    expect(await partitionsOf(topic.name)).toBe(5);
  });

  it('leaves a topic that was written to as it is, because keys would change their partition, and says so', async () => {
    const topic = { ...declared.shippingEvents, name: 'written.events.v1' };
    await ensure([{ ...topic, partitions: 2 }]);
    await topics.send([{ topic: topic.name, key: 'a-key', value: 'a value', headers: {} }]);
    expect(await ensure([{ ...topic, partitions: 5 }])).toEqual({
      ...nothingToDo,
      tooSmall: [{ topic: topics.prefix + topic.name, partitions: 2, declared: 5 }],
    });
    expect(await partitionsOf(topic.name)).toBe(2);
  });

  it('can be run by several at once', async () => {
    const wanted = [1, 2, 3].map((index) => ({ ...declared.orderEvents, name: `race-${index}.events.v1` }));
    await Promise.all([ensure(wanted), ensure(wanted), ensure(wanted)]);
    for (const { name, partitions } of wanted) expect(await partitionsOf(name)).toBe(partitions);
  });
});

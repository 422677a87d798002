import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId } from '@millrace/contracts';
import { createLogger } from '@millrace/observability';
import { tally, tallyStore, Workbench } from '../fixtures/index.ts';
import { decides } from '../handlers/handler.ts';
import { until } from '../testing/until.ts';
import { type TopicDescription, TopicView } from './describe.ts';

const GROUP = 'test.viewed';
const TOPIC = 'payment.commands.v1';
const logger = createLogger({ service: 'test', level: 'silent' });
const handler = decides({ hears: [CapturePayment], store: tallyStore, decide: tally });

describe('a view of topics', () => {
  let bench: Workbench;
  let view: TopicView;
  beforeAll(async () => {
    bench = await Workbench.open([GROUP, 'test.absent']);
    view = new TopicView({
      brokers: bench.topics.brokers,
      logger,
      topicPrefix: bench.topics.prefix,
      topics: [TOPIC, `${GROUP}.dlq`, 'nobody.events.v1'],
      groups: [
        { name: GROUP, topics: [TOPIC] },
        { name: 'test.absent', topics: [TOPIC] },
      ],
    });
  });
  afterEach(() => bench.stopReplicas());
  afterAll(async () => {
    await view.close();
    await bench.close();
  });

  const lookedAt = (what: string, holds: (topic: TopicDescription | undefined) => boolean | undefined) =>
    until(what, async () => {
      // Brokers that cannot be asked at this moment are asked again.
      const topics = await view.look().catch(() => undefined);
      return holds(topics?.find(({ topic }) => topic === TOPIC)) && topics;
    });
  const readerIn = (topic: TopicDescription | undefined, group = GROUP) =>
    topic?.readers.find((reader) => reader.group === group);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

  it('tells where the records are and who has read how far, with one owner for each partition', async () => {
    await bench.start({ [GROUP]: handler });
    await bench.start({ [GROUP]: handler });
    await bench.send(
      CapturePayment,
      Array.from({ length: 50 }, () => ({ orderId: newId<OrderId>() })),
    );
    const topics = await lookedAt('two members share the topic and have read all of it', (topic) => {
      const reader = readerIn(topic);
      return (
        reader?.members.length === 2 &&
        reader.partitions.length > 0 &&
        new Set(reader.partitions.map(({ owner }) => owner?.memberId)).size === 2 &&
        reader.partitions.every(({ owner, messages }) => owner !== undefined && messages === 0) &&
        sum(reader.partitions.map(({ committed }) => committed ?? 0)) === 50
      );
    });
    expect(topics.map(({ topic, problem }) => [topic, problem])).toEqual([
      [TOPIC, undefined],
      [`${GROUP}.dlq`, undefined],
      ['nobody.events.v1', 'missing'],
    ]);
    const [topic] = topics;
    expect(topic?.partitions).toHaveLength(6);
    expect(sum(topic?.partitions.map(({ first, end }) => end - first) ?? [])).toBe(50);
    for (const { leader, replicas, inSync } of topic?.partitions ?? []) {
      expect(replicas).toEqual([leader]);
      expect(inSync).toEqual([leader]);
    }
    const reader = readerIn(topic);
    expect(reader?.state).toBe('Stable');
    for (const { clientId, host } of reader?.members ?? []) {
      expect(clientId).toBe('test');
      expect(host).not.toBe('');
    }
    for (const { committed, partition } of reader?.partitions ?? []) {
      // A partition without a record is never committed.
      expect(committed ?? 0).toBe(topic?.partitions[partition]?.end);
    }
  });

  it('tells what waits for a group that is not there, and since when', async () => {
    const sentAt = Date.now();
    await bench.send(
      CapturePayment,
      Array.from({ length: 20 }, () => ({ orderId: newId<OrderId>() })),
    );
    const topics = await lookedAt('the members have left', (topic) => readerIn(topic)?.state === 'Empty');
    const [topic] = topics;
    const empty = readerIn(topic);
    expect(empty?.members).toEqual([]);
    expect(sum(empty?.partitions.map(({ messages }) => messages) ?? [])).toBe(20);
    expect(Math.max(...(empty?.partitions ?? []).map(({ seconds }) => seconds))).toBeLessThanOrEqual(
      (Date.now() - sentAt) / 1000 + 5,
    );
    expect(empty?.partitions.every(({ owner }) => owner === undefined)).toBe(true);
    const absent = readerIn(topic, 'test.absent');
    expect(absent?.state).toBe('Dead');
    expect(absent?.partitions.every(({ committed }) => committed === undefined)).toBe(true);
    expect(sum(absent?.partitions.map(({ messages }) => messages) ?? [])).toBe(70);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from '@millrace/database';
import type { TestDatabase } from '@millrace/database/testing';
import { createLogger, Metrics } from '@millrace/observability';
import { messagingDatabase } from '../fixtures/index.ts';
import { RecordProducer } from '../kafka/record-producer.ts';
import { TopicFreeze } from '../kafka/topic-freeze.ts';
import { ensureTopics, untilLed } from '../kafka/topic-step.ts';
import { TestTopics } from '../testing/test-topics.ts';
import { until } from '../testing/until.ts';
import { storeRecords } from './outbox.ts';
import { Relay } from './relay.ts';

const logger = createLogger({ service: 'test', level: 'silent' });
// Longer than any of these tests: only one of them is about its end.
const LEASE_MS = 600_000;

describe('a relay and a topic that is frozen', () => {
  let storage: TestDatabase;
  let topics: TestTopics;
  let database: Database;
  const running: (() => Promise<void>)[] = [];
  let places = 0;

  beforeAll(async () => {
    storage = await messagingDatabase('SELECT 1');
    topics = new TestTopics();
    database = new Database({ url: storage.url, applicationName: 'test' });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((stop) => stop()));
    await database.query('TRUNCATE messaging.frozen_topic; TRUNCATE messaging.outbox');
  });
  afterAll(async () => {
    await database.close();
    await topics.close();
    await storage.drop();
  });

  /** Two topics of its own for one test, with two partitions each. */
  const twoTopics = async (): Promise<readonly [string, string]> => {
    const names = [`frozen-${(places += 1)}.events.v1`, `other-${places}.events.v1`] as const;
    await ensureTopics(
      topics.kafka,
      names.map((name) => ({
        name,
        partitions: 2,
        cleanup: { policy: 'delete', retentionMs: 3_600_000 },
        meaning: 'Of one test.',
      })),
      { replicationFactor: 1, topicPrefix: topics.prefix },
    );
    return names;
  };
  const startRelay = (producer = new RecordProducer(topics.kafka)): Relay => {
    const relay = new Relay({
      database,
      producer,
      logger,
      metrics: new Metrics(),
      topicPrefix: topics.prefix,
      service: 'test',
    });
    relay.start();
    running.push(() => relay.drain());
    return relay;
  };
  const say = async (relay: Relay, topic: string, values: readonly number[], keys = ['a-key']): Promise<void> => {
    const records = values.flatMap((value) =>
      keys.map((key) => ({ topic, key, value: String(value), encoding: 'utf8' as const, headers: {} })),
    );
    relay.wake(await database.transaction((tx) => storeRecords(tx, records)));
  };
  const heard = async (topic: string, key = 'a-key'): Promise<readonly number[]> =>
    (await topics.read(topic)).filter((record) => record.key === key).map(({ value }) => Number(value));
  const frozen = async (topic: string, leaseMs = LEASE_MS): Promise<TopicFreeze> => {
    const freeze = new TopicFreeze(topic, leaseMs);
    await freeze.freeze([{ name: 'test', database }], 'a test');
    return freeze;
  };
  const heldBack = (freeze: TopicFreeze): Promise<boolean> =>
    until('all relays hold the topic back', async () => (await freeze.relaysUnderway()) === 0);
  const waiting = async (): Promise<number> =>
    (await database.query<{ n: number }>('SELECT count(*)::int AS n FROM messaging.outbox')).rows[0]?.n ?? 0;

  it('keeps what is said on it in the outbox, sends everything else, and sends it in order after the thaw', async () => {
    const [topic, other] = await twoTopics();
    const relay = startRelay();
    await say(relay, topic, [1, 2]);
    await until('it is sent', async () => (await waiting()) === 0);
    const freeze = await frozen(topic);
    await heldBack(freeze);
    await say(relay, topic, [3, 4]);
    await say(relay, other, [1]);
    // A row is deleted a moment after its message can be heard.
    await until('the other topic goes on', async () => (await waiting()) === 2);
    expect(await heard(other)).toEqual([1]);
    expect(await heard(topic)).toEqual([1, 2]);
    expect(await waiting()).toBe(2);
    expect(await freeze.renew()).toBe(true);
    expect(await freeze.thaw()).toEqual([]);
    await until('it is sent', async () => (await waiting()) === 0);
    expect(await heard(topic)).toEqual([1, 2, 3, 4]);
  });

  it('counts a relay that is in the middle of a batch until the batch is sent', async () => {
    const [topic] = await twoTopics();
    const producer = new RecordProducer(topics.kafka);
    const send = producer.send.bind(producer);
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    producer.send = async (...args) => {
      begun.resolve();
      await gate.promise;
      return send(...args);
    };
    const relay = startRelay(producer);
    await say(relay, topic, [1]);
    await begun.promise;
    const freeze = await frozen(topic);
    // The session of an earlier test's relay may end a moment after that relay.
    await until('no other relay is counted', async () => (await freeze.relaysUnderway()) === 1);
    expect(await heard(topic)).toEqual([]);
    expect(await freeze.relaysUnderway()).toBe(1);
    gate.resolve();
    await heldBack(freeze);
    expect(await heard(topic)).toEqual([1]);
    // One that comes later reads first what is frozen.
    startRelay();
    await say(relay, topic, [2]);
    await heldBack(freeze);
    expect(await heard(topic)).toEqual([1]);
    await freeze.thaw();
  });

  it('goes on by itself when whoever froze it is not heard of any more', async () => {
    const [topic] = await twoTopics();
    const relay = startRelay();
    // Anew as often as the lease ends before the relay has looked.
    const freeze = await until('the relay holds the topic back', async () => {
      const brief = await frozen(topic, 1_000).catch(() => undefined);
      if (brief === undefined) return undefined;
      return until('it does, or the lease has ended', async () => {
        if ((await brief.relaysUnderway()) === 0) return { held: brief };
        return brief.safeForMs < 0 && { held: undefined };
      }).then(({ held }) => held);
    });
    await say(relay, topic, [1]);
    await until('it is sent', async () => (await heard(topic)).length === 1);
    expect(freeze.safeForMs).toBeLessThanOrEqual(0);
    expect(await freeze.renew()).toBe(false);
  });

  it('lets one at a time freeze a topic, and the next one after its end', async () => {
    const [topic] = await twoTopics();
    const first = await frozen(topic);
    await expect(frozen(topic)).rejects.toThrow('a test');
    await first.thaw();
    const second = await frozen(topic);
    // What the first one still does is about a freeze that is over.
    await first.thaw();
    expect(await second.renew()).toBe(true);
    expect(await first.renew()).toBe(false);
    await second.thaw();
  });

  it('uses the new partitions from the first message on, although its producer knew the topic before', async () => {
    const [topic] = await twoTopics();
    const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
    const relay = startRelay();
    await say(relay, topic, [1], keys);
    await until('it is sent', async () => (await waiting()) === 0);
    const freeze = await frozen(topic);
    await heldBack(freeze);
    await say(relay, topic, [2], keys);
    const admin = topics.kafka.admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic: topics.prefix + topic, count: 8 }] });
    await admin.disconnect();
    await freeze.thaw(8);
    await until('it is sent', async () => (await waiting()) === 0);
    const written = await topics.read(topic);
    const partitionsOf = (value: number) =>
      new Set(written.filter((record) => Number(record.value) === value).map(({ partition }) => partition));
    expect([...partitionsOf(1)].toSorted()).toEqual([0, 1]);
    expect([...partitionsOf(2)].toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('sends nothing by metadata that tells of fewer partitions than there are known to be', async () => {
    const [topic] = await twoTopics();
    const name = topics.prefix + topic;
    const producer = new RecordProducer(topics.kafka);
    const record = { topic: name, key: 'a-key', value: '1', headers: {} };
    await producer.send([record], new Map([[name, 2]]));
    await expect(producer.send([record], new Map([[name, 3]]))).rejects.toThrow(
      'has 3 partitions, a broker tells of 2',
    );
    expect(await heard(topic)).toEqual([1]);
    await producer.send([record]);
    const admin = topics.kafka.admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic: name, count: 3 }] });
    await untilLed(admin, [{ name, partitions: 3 }], '');
    await admin.disconnect();
    // The same connection as before: it asks anew.
    expect(await producer.send([record], new Map([[name, 3]]))).not.toContain(undefined);
    await producer.disconnect();
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId } from '@millrace/contracts';
import { Database } from '@millrace/database';
import type { TestDatabase } from '@millrace/database/testing';
import { createLogger, Metrics } from '@millrace/observability';
import { messagingDatabase, recordFor, scraped } from '../fixtures/index.ts';
import { createKafka } from '../kafka/client.ts';
import { RecordProducer } from '../kafka/record-producer.ts';
import { TestTopics } from '../testing/test-topics.ts';
import { until } from '../testing/until.ts';
import { storeRecords } from './outbox.ts';
import { Relay } from './relay.ts';

const logger = createLogger({ service: 'test', level: 'silent' });

// Prometheus waits no longer.
const SCRAPE_TIMEOUT_MS = 4_000;

describe('the metrics of the outbox', () => {
  let topics: TestTopics;
  let storage: TestDatabase;
  let database: Database;
  const relays: Relay[] = [];

  beforeAll(async () => {
    topics = new TestTopics();
    [storage] = await Promise.all([messagingDatabase('SELECT 1'), topics.create([])]);
    database = new Database({ url: storage.url, applicationName: 'test' });
  });
  afterEach(async () => {
    await Promise.all(relays.splice(0).map((relay) => relay.drain()));
    await database.query('TRUNCATE messaging.outbox');
  });
  afterAll(async () => {
    await database.close();
    await topics.close();
    await storage.drop();
  });

  const relayTo = (kafka: TestTopics['kafka'], relayed = database): { relay: Relay; metrics: Metrics } => {
    const metrics = new Metrics();
    const producer = new RecordProducer(kafka);
    const relay = new Relay({
      database: relayed,
      producer,
      logger,
      metrics,
      topicPrefix: topics.prefix,
      service: 'test',
    });
    relays.push(relay);
    return { relay, metrics };
  };
  /** A look that the database does not answer in time is hidden until the next one. */
  const untilShown = (metrics: Metrics, name: string, value: number): Promise<unknown> =>
    until(`${name} is ${value}`, async () => (await scraped(metrics, name)) === value);
  const store = async (count: number): Promise<void> => {
    await database.transaction((tx) =>
      storeRecords(
        tx,
        Array.from({ length: count }, () => {
          const { topic, key, value, headers } = recordFor(CapturePayment, { orderId: newId<OrderId>() });
          return {
            topic,
            key: String(key),
            value: String(value),
            encoding: 'utf8' as const,
            headers: headers as Record<string, string>,
          };
        }),
      ),
    );
  };

  it('show what waits and for how long while Kafka is away, and that it was sent when Kafka is back', async () => {
    const nowhere = createKafka({ brokers: ['127.0.0.1:1'], clientId: 'test', logger, retries: 1 });
    const cut = relayTo(nowhere);
    await untilShown(cut.metrics, 'messaging_outbox_rows', 0);
    await untilShown(cut.metrics, 'messaging_outbox_oldest_seconds', 0);
    cut.relay.start();
    await store(25);
    await until('the relay knows that Kafka is away', () => cut.relay.outage);
    await until(
      'the oldest message has waited for a second',
      async () => ((await scraped(cut.metrics, 'messaging_outbox_oldest_seconds')) ?? 0) > 1,
    );
    await untilShown(cut.metrics, 'messaging_outbox_rows', 25);
    expect(await scraped(cut.metrics, 'messaging_outbox_dwell_seconds_count')).toBe(0);
    await Promise.all(relays.splice(0).map((relay) => relay.drain()));
    const mended = relayTo(topics.kafka);
    mended.relay.start();
    await untilShown(mended.metrics, 'messaging_outbox_rows', 0);
    await untilShown(mended.metrics, 'messaging_outbox_oldest_seconds', 0);
    // The rows are gone a moment before the relay hears of it.
    await untilShown(mended.metrics, 'messaging_outbox_sent_total', 25);
    expect(await scraped(mended.metrics, 'messaging_outbox_sent_total', { topic: 'payment.commands.v1' })).toBe(25);
    expect(await scraped(mended.metrics, 'messaging_outbox_dwell_seconds_count')).toBe(25);
    expect(await scraped(mended.metrics, 'messaging_outbox_dwell_seconds_bucket', { le: '1' })).toBe(0);
  });

  it('are counted within the time of a look when a hundred thousand messages wait', async () => {
    await database.query(
      `INSERT INTO messaging.outbox (shard, topic, key, value, headers)
       SELECT n % 16, 'payment.commands.v1', n::text, repeat('x', 500), '{}' FROM generate_series(1, 100000) AS n`,
    );
    const { metrics } = relayTo(topics.kafka);
    await until('they are counted', async () => (await scraped(metrics, 'messaging_outbox_rows')) === 100_000);
  });

  it('are missing, and the scrape is answered in time, when the database is away or does not answer', async () => {
    const gone = new Database({ url: 'postgres://127.0.0.1:1/none', applicationName: 'test' });
    const away = relayTo(topics.kafka, gone);
    expect(await scraped(away.metrics, 'messaging_outbox_rows')).toBeUndefined();
    expect(await scraped(away.metrics, 'process_resident_memory_bytes')).toBeGreaterThan(0);
    await gone.close();
    const { metrics } = relayTo(topics.kafka);
    await store(1);
    await untilShown(metrics, 'messaging_outbox_rows', 1);
    await database.transaction(async (tx) => {
      await tx.query('LOCK TABLE messaging.outbox IN ACCESS EXCLUSIVE MODE');
      // The lock outlasts every scrape. One during which this process stood still says nothing of the next.
      await until('a scrape is answered in time', async () => {
        const startedAt = performance.now();
        expect(await scraped(metrics, 'messaging_outbox_rows')).toBeUndefined();
        return performance.now() - startedAt < SCRAPE_TIMEOUT_MS;
      });
      expect(await scraped(metrics, 'messaging_outbox_oldest_seconds')).toBeUndefined();
    });
    await untilShown(metrics, 'messaging_outbox_rows', 1);
  });
});

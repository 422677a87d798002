import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type KafkaCluster, startKafka, temporaryFolder } from '@millrace/embedded';
import { createKafka, type Kafka, LagMeter } from '@millrace/messaging/kafka';
import { until } from '@millrace/messaging/testing';
import { createLogger } from '@millrace/observability';

const folder = temporaryFolder('millrace-kafka-metrics');
const logger = createLogger({ service: 'test', level: 'silent' });

/** What a node shows, by name and labels. */
async function seriesOf(url: string | undefined): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(String(url))).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

describe('the metrics of the brokers', () => {
  let cluster: KafkaCluster;
  let kafka: Kafka;

  beforeAll(async () => {
    cluster = await startKafka({ dir: folder.path, nodes: 3, metrics: true });
    kafka = createKafka({ brokers: cluster.brokers, clientId: 'test', logger });
  }, 120_000);
  afterAll(async () => {
    await cluster.stop();
    await folder.remove();
  });

  const everyNode = () =>
    Promise.all(cluster.nodes.filter(({ pid }) => pid !== 0).map(({ metricsUrl }) => seriesOf(metricsUrl)));
  const sumOf = async (series: string): Promise<number> =>
    (await everyNode()).reduce((sum, node) => sum + (node.get(series) ?? 0), 0);

  it('show throughput, latency and health, and cost little to read', async () => {
    const admin = kafka.admin();
    const producer = kafka.producer();
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createTopics({
      topics: [
        { topic: 'safe', numPartitions: 3, replicationFactor: 3 },
        { topic: 'alone', replicaAssignment: [{ partition: 0, replicas: [2] }] },
      ],
    });
    const messages = Array.from({ length: 50 }, () => ({ value: 'x'.repeat(200) }));
    await producer.send({ topic: 'safe', messages });
    await producer.send({ topic: 'alone', messages });
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    const consumer = kafka.consumer({ groupId: 'reader', maxWaitTimeInMs: 50 });
    await consumer.connect();
    await consumer.subscribe({ topics: ['safe'], fromBeginning: true });
    await consumer.run({ eachMessage: () => Promise.resolve() });
    await until(
      'what was read is counted',
      async () => (await sumOf('kafka_topic_bytes_out_total{topic="safe"}')) > 10_000,
    );
    await consumer.disconnect();

    expect(await sumOf('kafka_topic_messages_in_total{topic="safe"}')).toBe(50);
    expect(await sumOf('kafka_topic_bytes_in_total{topic="safe"}')).toBeGreaterThan(10_000);
    expect(await sumOf('kafka_controller_active_controllers')).toBe(1);
    expect(await sumOf('kafka_controller_offline_partitions')).toBe(0);
    expect(await sumOf('kafka_server_under_replicated_partitions')).toBe(0);
    for (const node of await everyNode()) {
      for (const request of ['Produce', 'FetchConsumer']) {
        const [p50, p99] = ['0.5', '0.99'].map((q) =>
          node.get(`kafka_request_seconds{quantile="${q}",request="${request}"}`),
        );
        expect(p50).toBeGreaterThanOrEqual(0);
        expect(p99).toBeLessThan(5);
      }
      expect(node.get('kafka_server_offline_log_directories')).toBe(0);
      expect(node.get('kafka_request_queue_size')).toBeGreaterThanOrEqual(0);
      expect(node.get('kafka_server_request_handler_idle_ratio')).toBeLessThanOrEqual(1);
      expect(node.get('jvm_memory_used_bytes{area="heap"}')).toBeGreaterThan(0);
      // A whitelist: hundreds of MBeans more would cost each broker seconds per minute.
      expect([...node.keys()].filter((name) => name.startsWith('kafka_')).length).toBeLessThan(60);
    }
    const [first] = cluster.nodes;
    const times: number[] = [];
    for (let scrape = 0; scrape < 5; scrape++) {
      const startedAt = performance.now();
      await seriesOf(first?.metricsUrl);
      times.push(performance.now() - startedAt);
    }
    expect(Math.min(...times)).toBeLessThan(200);
  }, 60_000);

  it('and the lag meter tell of partitions that miss a replica or a leader', async () => {
    const meter = new LagMeter({
      brokers: cluster.brokers,
      logger,
      groups: [{ name: 'reader', topics: ['safe', 'alone'] }],
    });
    expect(await meter.measure()).toMatchObject({ brokers: 3, underReplicated: 0, offline: 0 });
    const victim = cluster.nodes.find(({ id }) => id === 2);
    const others = cluster.nodes.filter((node) => node !== victim).map(({ metricsUrl }) => metricsUrl);
    await victim?.kill('SIGKILL');
    const ofOthers = async (series: string) =>
      (await Promise.all(others.map(seriesOf))).map((node) => node.get(series) ?? 0);
    await until(
      'the controller misses the partition',
      async () => (await ofOthers('kafka_controller_offline_partitions')).every((count) => count === 1),
      { timeoutMs: 60_000 },
    );
    const underReplicated = await ofOthers('kafka_server_under_replicated_partitions');
    expect(underReplicated.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(3);
    const report = await until('the meter can measure', () => meter.measure().catch(() => undefined), {
      timeoutMs: 30_000,
    });
    expect(report).toMatchObject({ brokers: 2, offline: 1 });
    expect(report.underReplicated).toBeGreaterThanOrEqual(3);
    // The other topic is measured all the same.
    expect(new Set(report.lags.map(({ topic }) => topic))).toEqual(new Set(['safe']));
    await victim?.start();
    await until('all is well again', async () => {
      const healed = await meter.measure().catch(() => undefined);
      return healed?.brokers === 3 && healed.offline === 0 && healed.underReplicated === 0;
    });
    await meter.close();
  }, 120_000);
});

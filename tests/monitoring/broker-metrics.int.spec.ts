import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type KafkaCluster, startKafka, temporaryFolder } from '@millrace/embedded';
import { createKafka, type Kafka, LagMeter } from '@millrace/messaging/kafka';
import { until } from '@millrace/messaging/testing';
import { createLogger } from '@millrace/observability';

const folder = temporaryFolder('millrace-kafka-metrics');
const logger = createLogger({ service: 'test', level: 'silent' });

// Three brokers share a busy machine with the test.
const PATIENCE = { timeoutMs: 60_000 };

/** What a node shows, by name and labels. */
async function seriesOf(url: string | undefined): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(String(url))).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

describe('the metrics of the brokers', () => {
  let cluster: KafkaCluster;
  let kafka: Kafka;
  let startedAtMs: number;

  beforeAll(async () => {
    startedAtMs = performance.now();
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
      PATIENCE,
    );
    await consumer.disconnect();

    expect(await sumOf('kafka_topic_messages_in_total{topic="safe"}')).toBe(50);
    expect(await sumOf('kafka_topic_bytes_in_total{topic="safe"}')).toBeGreaterThan(10_000);
    // A broker that stood still for three seconds counted as dead for a moment.
    await until(
      'there is one controller, and nothing is missing',
      async () =>
        (await sumOf('kafka_controller_active_controllers')) === 1 &&
        (await sumOf('kafka_controller_offline_partitions')) === 0 &&
        (await sumOf('kafka_server_under_replicated_partitions')) === 0,
      PATIENCE,
    );
    for (const node of await everyNode()) {
      for (const request of ['Produce', 'FetchConsumer']) {
        const [p50, p99] = ['0.5', '0.99'].map((q) =>
          node.get(`kafka_request_seconds{quantile="${q}",request="${request}"}`),
        );
        expect(p50).toBeGreaterThanOrEqual(0);
        // Seconds: no request took longer than the cluster is old.
        expect(p99).toBeLessThan((performance.now() - startedAtMs) / 1000);
      }
      expect(node.get('kafka_server_offline_log_directories')).toBe(0);
      expect(node.get('kafka_request_queue_size')).toBeGreaterThanOrEqual(0);
      expect(node.get('kafka_server_request_handler_idle_ratio')).toBeLessThanOrEqual(1);
      expect(node.get('jvm_memory_used_bytes{area="heap"}')).toBeGreaterThan(0);
      // A whitelist: hundreds of MBeans more would cost each broker seconds per minute.
      expect([...node.keys()].filter((name) => name.startsWith('kafka_')).length).toBeLessThan(60);
    }
    const [first] = cluster.nodes;
    // What else the machine does makes some look dear, not all.
    await until(
      'a look takes less than 200 ms',
      async () => {
        const lookedAt = performance.now();
        await seriesOf(first?.metricsUrl);
        return performance.now() - lookedAt < 200;
      },
      PATIENCE,
    );
  }, 180_000);

  it('and the lag meter tell of partitions that miss a replica or a leader', async () => {
    const meter = new LagMeter({
      brokers: cluster.brokers,
      logger,
      groups: [{ name: 'reader', topics: ['safe', 'alone'] }],
    });
    const isWell = async (): Promise<boolean> => {
      const report = await meter.measure().catch(() => undefined);
      return report?.brokers === 3 && report.offline === 0 && report.underReplicated === 0;
    };
    await until('all is well', isWell, PATIENCE);
    const victim = cluster.nodes.find(({ id }) => id === 2);
    const others = cluster.nodes.filter((node) => node !== victim).map(({ metricsUrl }) => metricsUrl);
    await victim?.kill('SIGKILL');
    const ofOthers = async (series: string) =>
      (await Promise.all(others.map(seriesOf))).map((node) => node.get(series) ?? 0);
    await until(
      'the controller misses the partition',
      async () => (await ofOthers('kafka_controller_offline_partitions')).every((count) => count === 1),
      PATIENCE,
    );
    // Each leader finds out by itself, and so does the meter.
    await until(
      'the leaders miss a replica',
      async () => {
        const counts = await ofOthers('kafka_server_under_replicated_partitions');
        return counts.reduce((sum, count) => sum + count, 0) >= 3;
      },
      PATIENCE,
    );
    const report = await until(
      'the meter tells of it',
      async () => {
        const measured = await meter.measure().catch(() => undefined);
        const isTold = measured?.brokers === 2 && measured.offline === 1 && measured.underReplicated >= 3;
        return isTold && measured;
      },
      PATIENCE,
    );
    // The other topic is measured all the same.
    expect(new Set(report.lags.map(({ topic }) => topic))).toEqual(new Set(['safe']));
    await victim?.start();
    await until('all is well again', isWell, PATIENCE);
    await meter.close();
  }, 300_000);
});

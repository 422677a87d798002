import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { topics as declared } from '@millrace/contracts';
import { type KafkaCluster, startKafka, temporaryFolder } from '@millrace/embedded';
import { createKafka, ensureTopics, liveBrokers, raiseReplication } from '@millrace/messaging/kafka';
import { TestTopics, until } from '@millrace/messaging/testing';
import { createLogger } from '@millrace/observability';

// Three brokers share two cores while they start, and the first start on a machine also makes the class archive.
const START_WITHIN_MS = 120_000;
const TEST_TIMEOUT_MS = 300_000;

// A broker that stood still for three seconds counts as dead until it has told the others that it is not, and has caught up.
const PATIENCE = { timeoutMs: 60_000 };

const wanted = [declared.orderEvents, declared.catalogEvents];
const names = wanted.map(({ name }) => name);

describe('a cluster that grew to three brokers', () => {
  const ends: (() => Promise<void>)[] = [];
  let cluster: KafkaCluster;
  let topics: TestTopics;

  beforeAll(async () => {
    const folder = temporaryFolder('millrace-replication');
    ends.unshift(() => folder.remove());
    cluster = await startKafka({ dir: folder.path, nodes: 3, internalReplicas: 1 });
    ends.unshift(() => cluster.stop());
    topics = new TestTopics(cluster.brokers.join(','), '');
    ends.unshift(() => topics.close());
    await ensureTopics(topics.kafka, wanted, { replicationFactor: 1 });
  }, START_WITHIN_MS);
  afterAll(async () => {
    for (const end of ends) await end();
  });

  const withAdmin = async <T>(
    work: (admin: ReturnType<ReturnType<typeof createKafka>['admin']>) => Promise<T>,
  ): Promise<T> => {
    const logger = createLogger({ service: 'test', level: 'silent' });
    const admin = createKafka({ brokers: cluster.brokers, clientId: 'test', logger }).admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  };
  const partitionsOf = (topicNames: string[]) =>
    withAdmin(async (admin) =>
      (await admin.fetchTopicMetadata({ topics: topicNames })).topics.flatMap((one) => one.partitions),
    );
  const partitions = () => partitionsOf(names);
  const configOf = (topic: string) =>
    withAdmin(async (admin) => {
      // 2 is a topic.
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: 2, name: topic }],
      });
      return new Map(resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]));
    });
  const records = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      topic: declared.orderEvents.name,
      key: `key-${index}`,
      value: Buffer.from(`value-${index}`),
      headers: {},
    }));

  it(
    'has three replicas of everything after the topic step, and still all that was written before',
    async () => {
      await until('three brokers are alive', async () => (await liveBrokers(topics.kafka)) === 3, PATIENCE);
      await topics.send(records(30));
      await withAdmin((admin) =>
        admin.alterConfigs({
          validateOnly: false,
          resources: [
            {
              type: 2,
              name: declared.catalogEvents.name,
              configEntries: [
                { name: 'segment.ms', value: '60000' },
                { name: 'min.insync.replicas', value: '1' },
              ],
            },
          ],
        }),
      );
      expect((await partitions()).map(({ replicas }) => replicas.length)).toEqual(Array.from({ length: 12 }, () => 1));

      const raised = await raiseReplication(topics.kafka, names, { replicationFactor: 3 });

      // Kafka's own topics too, or groups would stand still with one broker.
      expect(raised.toSorted()).toEqual(['__consumer_offsets', '__transaction_state', ...names].toSorted());
      for (const { isr } of await partitionsOf(['__consumer_offsets'])) expect(isr).toHaveLength(3);
      for (const { replicas, isr } of await partitions()) {
        expect(replicas.toSorted()).toEqual([1, 2, 3]);
        expect(isr).toHaveLength(3);
      }
      for (const name of names) expect((await configOf(name)).get('min.insync.replicas')).toBe('2');
      expect((await configOf(declared.catalogEvents.name)).get('segment.ms')).toBe('60000');
      expect(await topics.read(declared.orderEvents.name)).toHaveLength(30);
      expect(await raiseReplication(topics.kafka, names, { replicationFactor: 3 })).toEqual([]);
      expect(await raiseReplication(topics.kafka, names, { replicationFactor: 1 })).toEqual([]);
      expect((await partitions()).map(({ replicas }) => replicas.length)).toEqual(Array.from({ length: 12 }, () => 3));
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'takes and hands out every record while any one broker is away',
    async () => {
      let written = (await topics.read(declared.orderEvents.name)).length;
      for (const node of cluster.nodes) {
        await node.kill('SIGKILL');
        // A send may meet the dead leader before the cluster has agreed on the next one.
        await until(
          'records are acknowledged',
          () =>
            topics.send(records(12)).then(
              () => true,
              () => false,
            ),
          PATIENCE,
        );
        written += 12;
        expect((await topics.read(declared.orderEvents.name)).length).toBeGreaterThanOrEqual(written);
        await node.start();
        await until(
          'all replicas are in sync',
          async () => (await partitions()).every(({ isr }) => isr.length === 3),
          PATIENCE,
        );
      }
    },
    TEST_TIMEOUT_MS,
  );
});

import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';

// The inside of the patched client: what happens between two members' joins cannot be timed from outside.
const inside = createRequire(createRequire(import.meta.url).resolve('kafkajs'));
const ConsumerGroup = inside('./src/consumer/consumerGroup.js') as new (options: object) => MemberGroup;
const Runner = inside('./src/consumer/runner.js') as new (options: object) => {
  running: boolean;
  handleBatch(batch: unknown): Promise<void>;
};

interface MemberGroup {
  offsetManager: object;
  subscriptionState: { assign(assigned: object[]): void };
  fetch(nodeId: number): Promise<readonly object[]>;
}

const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error() {} };

/** What the client knows of one partition after a join: it goes on at `next`. */
const managerAt = (next: string) => ({
  resolved: next,
  committedOffsets: () => ({ topic: { 0: next } }),
  nextOffset: () => next,
  resolveOffsets: () => Promise.resolve(),
  resolveOffset({ offset }: { offset: string }) {
    this.resolved = offset;
  },
});

describe('the Kafka client', () => {
  const fetchWhile = async (
    during: (group: MemberGroup) => void,
  ): Promise<{ delivered: number; group: MemberGroup }> => {
    let delivered = 0;
    const broker = {
      fetch: () => {
        during(group);
        const messages = [{ offset: '200', isControlRecord: false }];
        return Promise.resolve({
          responses: [
            {
              topicName: 'topic',
              partitions: [{ partition: 0, highWatermark: '201', abortedTransactions: [], messages }],
            },
          ],
        });
      },
    };
    const cluster = {
      refreshMetadataIfNecessary: () => Promise.resolve(),
      findBroker: () => Promise.resolve(broker),
      findTopicPartitionMetadata: () => [{ partitionId: 0, leader: 1 }],
      findLeaderForPartitions: () => ({ 1: [0] }),
    };
    const group = new ConsumerGroup({ logger, cluster, groupId: 'group', topics: ['topic'], retry: {} });
    group.subscriptionState.assign([{ topic: 'topic', partitions: [0] }]);
    group.offsetManager = managerAt('200');
    const runner = new Runner({
      logger,
      consumerGroup: group,
      instrumentationEmitter: new EventEmitter(),
      eachBatchAutoResolve: false,
      autoCommit: false,
      concurrency: 1,
      eachBatch: ({ resolveOffset }: { resolveOffset: (offset: string) => void }) => {
        delivered += 1;
        resolveOffset('200');
        return Promise.resolve();
      },
    });
    runner.running = true;
    for (const batch of await group.fetch(1)) await runner.handleBatch(batch);
    return { delivered, group };
  };

  it('delivers what it fetched', async () => {
    const { delivered, group } = await fetchWhile(() => {});
    expect(delivered).toBe(1);
    expect(group.offsetManager).toMatchObject({ resolved: '200' });
  });

  it('drops an answer from before it joined the group again, which would skip what is delivered again from the committed offset', async () => {
    const { delivered, group } = await fetchWhile((joining) => {
      joining.offsetManager = managerAt('100');
    });
    expect(delivered).toBe(0);
    expect(group.offsetManager).toMatchObject({ resolved: '100' });
  });
});

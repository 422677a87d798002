import { describe, expect, it } from '@jest/globals';
import { type PartitionReplicas, replicaPlan } from './replica-plan.ts';

const onBrokerOne = (count: number): PartitionReplicas[] =>
  Array.from({ length: count }, (_, partition) => ({ topic: 'order.events.v1', partition, replicas: [1] }));

const tally = (brokers: readonly (number | undefined)[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(brokers, String)].map(([broker, list]) => [broker, list.length]));

describe('the plan that raises replication', () => {
  it('keeps every replica that is there and adds brokers that have none', () => {
    const plan = replicaPlan(onBrokerOne(6), [1, 2, 3], 3);
    expect(plan).toHaveLength(6);
    for (const { replicas } of plan) expect(replicas.toSorted()).toEqual([1, 2, 3]);
  });

  it('gives each broker the lead of as many partitions', () => {
    const plan = replicaPlan(onBrokerOne(6), [1, 2, 3], 3);
    expect(tally(plan.map(({ replicas }) => replicas[0]))).toEqual({ 1: 2, 2: 2, 3: 2 });
  });

  it('puts new replicas where least is held', () => {
    const plan = replicaPlan(onBrokerOne(6), [1, 2, 3, 4], 3);
    expect(tally(plan.flatMap(({ replicas }) => replicas))).toEqual({ 1: 6, 2: 4, 3: 4, 4: 4 });
  });

  it('leaves out partitions that have enough, also more than asked for', () => {
    const enough = { topic: 'a', partition: 0, replicas: [3, 2, 1] };
    expect(replicaPlan([enough], [1, 2, 3], 3)).toEqual([]);
    expect(replicaPlan([enough], [1, 2, 3], 1)).toEqual([]);
  });

  it('uses the brokers there are', () => {
    const [only] = replicaPlan(onBrokerOne(1), [1, 2], 3);
    expect(only?.replicas.toSorted()).toEqual([1, 2]);
    expect(replicaPlan(onBrokerOne(1), [1], 3)).toEqual([]);
  });

  it('keeps a replica on a broker that is away and lets one that lives lead', () => {
    expect(replicaPlan([{ topic: 'a', partition: 0, replicas: [9] }], [1, 2], 2)).toEqual([
      { topic: 'a', partition: 0, replicas: [1, 9] },
    ]);
  });
});

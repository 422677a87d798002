/** Which brokers hold a partition; the first one leads it when all are well. */
export interface PartitionReplicas {
  readonly topic: string;
  readonly partition: number;
  readonly replicas: readonly number[];
}

/**
 * Gives each partition that has fewer than `replicationFactor` replicas the missing ones, on the brokers that hold least,
 * and spreads the leadership of those partitions. What a partition has stays; partitions that have enough are left out.
 * With fewer brokers than `replicationFactor` each partition gets what there is.
 */
export function replicaPlan(
  partitions: readonly PartitionReplicas[],
  brokers: readonly number[],
  replicationFactor: number,
): readonly PartitionReplicas[] {
  const held = new Map(brokers.map((broker) => [broker, 0]));
  const led = new Map(brokers.map((broker) => [broker, 0]));
  const count = (counts: Map<number, number>, broker: number) => counts.set(broker, (counts.get(broker) ?? 0) + 1);
  const least = (counts: ReadonlyMap<number, number>, among: readonly number[]) =>
    among.toSorted((one, other) => (counts.get(one) ?? 0) - (counts.get(other) ?? 0) || one - other);
  for (const { replicas } of partitions) for (const broker of replicas) count(held, broker);

  return partitions.flatMap(({ topic, partition, replicas }) => {
    const others = brokers.filter((broker) => !replicas.includes(broker));
    const added = least(held, others).slice(0, Math.max(0, replicationFactor - replicas.length));
    if (added.length === 0) return [];
    for (const broker of added) count(held, broker);
    const all = [...replicas, ...added];
    const [leader = 0] = least(
      led,
      all.filter((broker) => brokers.includes(broker)),
    );
    count(led, leader);
    return [{ topic, partition, replicas: [leader, ...all.filter((broker) => broker !== leader)] }];
  });
}

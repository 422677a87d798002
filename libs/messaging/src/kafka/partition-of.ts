import kafkajs from 'kafkajs';

const choose = kafkajs.Partitioners.DefaultPartitioner();

/** The partition that a producer of ours chooses for a key in a topic of so many partitions: as Java's default partitioner does. */
export function partitionOf(key: Buffer, partitions: number): number {
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionId,
    partitionErrorCode: 0,
    leader: 0,
    replicas: [],
    isr: [],
  }));
  return choose({ topic: '', partitionMetadata, message: { key, value: null } });
}

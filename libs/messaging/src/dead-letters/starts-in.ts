import { partitionOf } from '../kafka/partition-of.ts';
import type { DeadLetter } from './letter.ts';
import type { Start } from './log-follower.ts';

/**
 * Where what came after letters of a topic begins, in each partition that their keys may have been in since. `logs` are all partitions
 * of the topic as they are now, in whatever order: a broker tells of them as they come.
 */
export function startsIn(
  topic: string,
  logs: readonly { readonly partition: number; readonly low: string }[],
  letters: readonly Pick<DeadLetter, 'origin' | 'record'>[],
): readonly Start[] {
  const lows = new Map(logs.map(({ partition, low }) => [partition, BigInt(low)]));
  const starts = new Map<number, bigint>();
  const from = (partition: number, offset: bigint): void => {
    const known = starts.get(partition);
    if (known === undefined || offset < known) starts.set(partition, offset);
  };
  for (const { origin, record } of letters) {
    if (record.key === null) continue;
    from(origin.partition, BigInt(origin.offset) + 1n);
    const current = partitionOf(record.key, logs.length);
    // The topic has grown since: all that its new partition holds of the key came later.
    if (current !== origin.partition) from(current, lows.get(current) ?? 0n);
  }
  return [...starts].map(([partition, offset]) => ({ topic, partition, offset }));
}

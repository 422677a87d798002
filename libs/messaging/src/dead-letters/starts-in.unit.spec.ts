import { describe, expect, it } from '@jest/globals';
import { partitionOf } from '../kafka/partition-of.ts';
import { startsIn } from './starts-in.ts';

const TOPIC = 'payment.commands.v1';

describe('what came after a dead letter', () => {
  const letter = (key: string, partition: number, offset: number) => ({
    origin: { topic: TOPIC, partition, offset: String(offset) },
    record: { key: Buffer.from(key), value: null, headers: {} },
  });
  const logs = (...lows: number[]) => lows.map((low, partition) => ({ partition, low: String(low) }));
  const PARTITIONS = 8;
  const [at, elsewhere] = [partitionOf(Buffer.from('a'), PARTITIONS), partitionOf(Buffer.from('c'), PARTITIONS)];

  it('begins behind it, and behind the first of those that share a partition', () => {
    const starts = startsIn(TOPIC, logs(0, 0, 0, 0, 0, 0, 0, 0), [letter('a', at, 7), letter('a', at, 3)]);
    expect(starts).toEqual([{ topic: TOPIC, partition: at, offset: 4n }]);
  });

  it('begins where the log of its new partition does, once its topic has grown, in whatever order Kafka tells of the logs', () => {
    const was = (at + 1) % PARTITIONS;
    const known = logs(10, 11, 12, 13, 14, 15, 16, 17);
    for (const told of [known, known.toReversed(), [...known.slice(3), ...known.slice(0, 3)]]) {
      expect(startsIn(TOPIC, told, [letter('a', was, 20)])).toEqual([
        { topic: TOPIC, partition: was, offset: 21n },
        { topic: TOPIC, partition: at, offset: BigInt(10 + at) },
      ]);
    }
  });

  it('is looked for once where one letter was and another one went', () => {
    expect(at).not.toBe(elsewhere);
    const starts = startsIn(TOPIC, logs(0, 0, 0, 0, 0, 0, 0, 0), [
      letter('c', elsewhere, 5),
      letter('a', elsewhere, 9),
    ]);
    expect(starts).toEqual([
      { topic: TOPIC, partition: elsewhere, offset: 6n },
      { topic: TOPIC, partition: at, offset: 0n },
    ]);
  });

  it('cannot be told of a letter without a key', () => {
    expect(
      startsIn(TOPIC, logs(0), [{ ...letter('a', 0, 1), record: { key: null, value: null, headers: {} } }]),
    ).toEqual([]);
  });
});

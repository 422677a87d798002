import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FairQueue } from './fair-queue.ts';
import type { Tracked } from './offset-tracker.ts';

const record = (partition: number, offset: number): Tracked => ({
  incoming: { topic: 't', partition, offset: String(offset), timestampMs: 0, key: null, value: null, headers: {} },
  receivedAtMs: 0,
  isDone: false,
});
const records = (partition: number, count: number, from = 0): readonly Tracked[] =>
  Array.from({ length: count }, (_, index) => record(partition, from + index));
const perPartition = (taken: readonly Tracked[]): Record<number, number> =>
  Object.fromEntries(
    [...Map.groupBy(taken, ({ incoming }) => incoming.partition)].map(([partition, of]) => [partition, of.length]),
  );

describe('what waits for the worker', () => {
  it('is given out in turns, so that one record among a hundred thousand others is among the first', () => {
    const queue = new FairQueue();
    queue.push(records(0, 100_000));
    queue.push(records(1, 1));
    expect(queue.take().findIndex(({ incoming }) => incoming.partition === 1)).toBeLessThan(2);
  });

  it('finds a place at once also when another partition has all that one may have in work', () => {
    const queue = new FairQueue();
    queue.push(records(0, 100_000));
    expect(perPartition(queue.take())).toEqual({ 0: 500 });
    expect(queue.take()).toEqual([]);
    queue.push(records(1, 1));
    expect(perPartition(queue.take())).toEqual({ 1: 1 });
  });

  it('fills a whole batch when one partition is alone, and is shared evenly by many', () => {
    const queue = new FairQueue();
    for (let partition = 0; partition < 9; partition++) queue.push(records(partition, 5000));
    const shares = Object.values(perPartition(queue.take()));
    expect(shares).toHaveLength(9);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeGreaterThan(850);
  });

  it('goes on as it is settled, and is not held up by records of an assignment that is over', () => {
    const queue = new FairQueue();
    queue.push(records(0, 800));
    const first = queue.take();
    queue.settled(first.slice(0, 100));
    expect(queue.take()).toHaveLength(100);
    queue.clear();
    queue.settled(first);
    queue.push(records(0, 800));
    expect(queue.take()).toHaveLength(500);
  });

  it('comes once and in order per partition, whatever is pushed and settled when', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ partition: fc.nat(4), count: fc.integer({ min: 1, max: 700 }), settle: fc.nat(600) }), {
          maxLength: 30,
        }),
        (steps) => {
          const queue = new FairQueue();
          const pushed = new Map<number, number>();
          const taken: Tracked[] = [];
          const open: Tracked[] = [];
          const take = (): number => {
            const more = queue.take();
            taken.push(...more);
            open.push(...more);
            return more.length;
          };
          for (const { partition, count, settle } of steps) {
            queue.push(records(partition, count, pushed.get(partition) ?? 0));
            pushed.set(partition, (pushed.get(partition) ?? 0) + count);
            take();
            expect(open.length).toBeLessThan(1000);
            queue.settled(open.splice(0, settle));
          }
          do queue.settled(open.splice(0));
          while (take() > 0);
          for (const [partition, count] of pushed) {
            const offsets = taken.flatMap(({ incoming }) =>
              incoming.partition === partition ? [incoming.offset] : [],
            );
            expect(offsets).toEqual(Array.from({ length: count }, (_, index) => String(index)));
          }
        },
      ),
    );
  });
});

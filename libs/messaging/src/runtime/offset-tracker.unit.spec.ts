import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OffsetTracker, type Tracked } from './offset-tracker.ts';

const record = (tracker: OffsetTracker, offset: bigint | number, partition = 0): Tracked =>
  tracker.track({
    topic: 't',
    partition,
    offset: String(offset),
    timestampMs: 0,
    key: null,
    value: Buffer.alloc(10),
    headers: {},
  });

describe('the offsets of a member', () => {
  it('are committed up to the first record that is not done', () => {
    const tracker = new OffsetTracker();
    const [first, second, third] = [5, 6, 9].map((offset) => record(tracker, offset)) as [Tracked, Tracked, Tracked];
    tracker.done([third]);
    expect(tracker.committable()).toEqual([]);
    tracker.done([first]);
    expect(tracker.committable()).toEqual([{ topic: 't', partition: 0, offset: '6' }]);
    tracker.done([second]);
    expect(tracker.committable()).toEqual([{ topic: 't', partition: 0, offset: '10' }]);
    tracker.committed([{ topic: 't', partition: 0, offset: '10' }]);
    expect(tracker.committable()).toEqual([]);
  });

  it('stay exact beyond what a double can count', () => {
    const tracker = new OffsetTracker();
    tracker.done([record(tracker, 9_007_199_254_740_993n)]);
    expect(tracker.committable()).toEqual([{ topic: 't', partition: 0, offset: '9007199254740994' }]);
  });

  it('know nothing of an earlier assignment, also when its work ends late', () => {
    const tracker = new OffsetTracker();
    const early = [record(tracker, 10), record(tracker, 11)];
    tracker.reset();
    const again = record(tracker, 10);
    tracker.done(early);
    expect(tracker.committable()).toEqual([]);
    expect(tracker.open).toEqual({ records: 1, bytes: 10 });
    tracker.done([again]);
    expect(tracker.committable()).toEqual([{ topic: 't', partition: 0, offset: '11' }]);
    expect(tracker.open).toEqual({ records: 0, bytes: 0 });
  });

  it('begin where a group stands that keeps its own positions, although it receives nothing', () => {
    const tracker = new OffsetTracker();
    tracker.goOn('t', 0, '10');
    expect(tracker.committable()).toEqual([{ topic: 't', partition: 0, offset: '10' }]);
    tracker.done([record(tracker, 10)]);
    expect(tracker.committable()).toEqual([{ topic: 't', partition: 0, offset: '11' }]);
  });

  it('are told with what is open, of all partitions and of each', () => {
    const tracker = new OffsetTracker();
    const [first] = [record(tracker, 1), record(tracker, 2), record(tracker, 1, 1)] as [Tracked, Tracked, Tracked];
    expect(tracker.open).toEqual({ records: 3, bytes: 30 });
    expect([tracker.openOf('t', 0), tracker.openOf('t', 1), tracker.openOf('t', 2)]).toEqual([
      { records: 2, bytes: 20 },
      { records: 1, bytes: 10 },
      { records: 0, bytes: 0 },
    ]);
    tracker.done([first]);
    expect(tracker.openOf('t', 0)).toEqual({ records: 1, bytes: 10 });
  });

  it('never pass an open record, and end at the last one, whatever is done in which order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(2), fc.nat(1000)), { minLength: 1, maxLength: 40 }),
        fc.infiniteStream(fc.nat(1000)),
        (places, chance) => {
          const tracker = new OffsetTracker();
          const records = places.map(([partition, gap], index) => record(tracker, index * 1001 + gap, partition));
          const ranks = new Map(records.map((tracked) => [tracked, chance.next().value ?? 0]));
          for (const done of [...records].sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0))) {
            tracker.done([done]);
            for (const { partition, offset } of tracker.committable()) {
              const open = records.filter(({ isDone, incoming }) => !isDone && incoming.partition === partition);
              expect(open.every(({ incoming }) => BigInt(incoming.offset) >= BigInt(offset))).toBe(true);
            }
          }
          expect(tracker.open).toEqual({ records: 0, bytes: 0 });
        },
      ),
    );
  });
});

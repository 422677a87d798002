import { describe, expect, it } from '@jest/globals';
import type { Incoming } from '../runtime/incoming.ts';
import { Backlog } from './backlog.ts';

const record = (partition: number, offset: number, timestampMs = offset, size = 1): Incoming => ({
  topic: 'topic',
  partition,
  offset: String(offset),
  timestampMs,
  key: null,
  value: Buffer.alloc(size),
  headers: {},
});

const offsets = (given: Record<number, number>): ReadonlyMap<string, bigint> =>
  new Map(Object.entries(given).map(([partition, offset]) => [`topic/${partition}`, BigInt(offset)]));

function filled(from: Record<number, number>, records: readonly Incoming[]): Backlog {
  const backlog = new Backlog(offsets(from));
  for (const each of records) {
    const lane = backlog.lane(each.topic, each.partition);
    if (lane) backlog.push(lane, [each]);
  }
  return backlog;
}

const placesOf = ({ records }: { readonly records: readonly Incoming[] }): readonly string[] =>
  records.map(({ partition, offset }) => `${partition}/${offset}`);

describe('the records that wait for a shadow', () => {
  it('are handed on oldest first over all partitions, in order within each, and not beyond the limits', () => {
    const backlog = filled({ 0: 0, 1: 0 }, [
      record(0, 0, 5),
      record(0, 1, 1),
      record(1, 0, 3),
      record(1, 1, 9),
      record(1, 2, 9),
    ]);
    const taken = backlog.take(offsets({ 0: 2, 1: 2 }), 10, offsets({ 0: 0, 1: 0 }));
    expect(placesOf(taken)).toEqual(['1/0', '0/0', '0/1', '1/1']);
    expect(taken.passed.map(({ partition, next, missing }) => [partition, next, missing])).toEqual([
      [0, 2n, 0n],
      [1, 2n, 0n],
    ]);
  });

  it('wait where the live projection never read', () => {
    const backlog = filled({ 0: 0 }, [record(0, 0)]);
    expect(backlog.take(new Map(), 10, offsets({ 0: 0 }))).toEqual({ records: [], passed: [] });
  });

  it('are counted as missing where offsets have no record, also before the limit', () => {
    const backlog = filled({ 0: 0 }, [record(0, 3), record(0, 9)]);
    const taken = backlog.take(offsets({ 0: 7 }), 10, offsets({ 0: 0 }));
    expect(placesOf(taken)).toEqual(['0/3']);
    expect(taken.passed).toEqual([{ topic: 'topic', partition: 0, next: 7n, missing: 6n }]);
    backlog.done(taken);
    expect(backlog.take(offsets({ 0: 10 }), 10, offsets({ 0: 7 })).passed).toMatchObject([{ next: 10n, missing: 2n }]);
  });

  it('do not let a partition pass its limit before what lies there has arrived', () => {
    const backlog = filled({ 0: 0 }, [record(0, 0)]);
    expect(backlog.take(offsets({ 0: 5 }), 10, offsets({ 0: 0 })).passed).toMatchObject([{ next: 1n }]);
  });

  it('stay until they are done, and records that are fetched again are passed over', () => {
    const backlog = filled({ 0: 4 }, [record(0, 3), record(0, 4), record(0, 4), record(0, 5)]);
    const [limits, nexts] = [offsets({ 0: 6 }), offsets({ 0: 4 })];
    expect(placesOf(backlog.take(limits, 10, nexts))).toEqual(['0/4', '0/5']);
    const one = backlog.take(limits, 1, nexts);
    backlog.done(one);
    expect(placesOf(backlog.take(limits, 10, offsets({ 0: 5 })))).toEqual(['0/5']);
  });

  it.each([
    ['many', 2000, 1],
    ['heavy', 10, 60_000],
  ])('pause their partition when they are %s, and let it go on when half of them are done', (_, count, size) => {
    const backlog = new Backlog(offsets({ 0: 0 }));
    const lane = backlog.lane('topic', 0);
    if (!lane) throw new Error('no lane');
    const records = Array.from({ length: count }, (_each, offset) => record(0, offset, 0, size));
    expect(backlog.push(lane, records.slice(0, -5))).toBe(false);
    expect(backlog.push(lane, records.slice(-5))).toBe(true);
    const take = (max: number, next: number) => backlog.take(offsets({ 0: count }), max, offsets({ 0: next }));
    expect(backlog.done(take(count * 0.4, 0))).toEqual([]);
    expect(backlog.done(take(count * 0.3, count * 0.4))).toEqual([lane]);
    expect(lane.bytes).toBe(count * 0.3 * size);
  });
});

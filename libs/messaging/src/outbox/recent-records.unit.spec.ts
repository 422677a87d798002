import { beforeEach, describe, expect, it } from '@jest/globals';
import { type RecentRecord, RecentRecords } from './recent-records.ts';

const recent = (bytes: number): RecentRecord => ({
  record: { topic: 'order.events.v1', key: 'k', value: 'v', encoding: 'utf8', headers: {} },
  storedAt: new Date(0),
  bytes,
});
const many = (from: number, count: number, bytes: number): Map<string, RecentRecord> =>
  new Map(Array.from({ length: count }, (_, index) => [String(from + index), recent(bytes)]));

describe('what a process remembers of its outbox', () => {
  let records: RecentRecords;
  beforeEach(() => {
    records = new RecentRecords();
  });
  const known = (count: number): number[] =>
    Array.from({ length: count }, (_, seq) => seq).filter((seq) => records.get(String(seq)) !== undefined);

  it('is bounded in number, the oldest forgotten first', () => {
    records.add(many(0, 4000, 1));
    records.add(many(4000, 10, 1));
    expect(known(5000)).toHaveLength(4000);
    expect(records.get('9')).toBeUndefined();
    expect(records.get('10')).toBeDefined();
  });

  it('is bounded in bytes, also by one record', () => {
    records.add(many(0, 8, 2 ** 20));
    expect(known(10)).toHaveLength(8);
    records.add(many(8, 1, 1));
    expect(known(10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    records.add(many(9, 1, 9 * 2 ** 20));
    expect(known(10)).toEqual([]);
  });

  it('has room again for what is forgotten', () => {
    records.add(many(0, 4000, 1));
    for (let seq = 0; seq < 4000; seq += 2) records.forget(String(seq));
    records.forget('0');
    records.add(many(4000, 2000, 1));
    expect(known(6000)).toHaveLength(4000);
    records.clear();
    records.add(many(0, 8, 2 ** 20));
    expect(known(6000)).toHaveLength(8);
  });
});

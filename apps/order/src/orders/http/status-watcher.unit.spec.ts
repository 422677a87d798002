import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { OrderId } from '@millrace/contracts';
import { createLogger } from '@millrace/observability';
import type { StatusNews } from '../store/status-reader.ts';
import { StatusWatcher } from './status-watcher.ts';

const mug = '0198c0de-0000-7000-8000-000000000001' as OrderId;
const tea = '0198c0de-0000-7000-8000-000000000002' as OrderId;

const news = (orderId: OrderId, latest: number): StatusNews => ({
  orderId,
  reason: null,
  changes: Array.from({ length: latest }, (_, index) => ({
    status: 'confirmed',
    version: index + 1,
    at: '2026-01-01T00:00:00.000Z',
  })),
});

const looks: [OrderId, number][][] = [];
let answer: () => Promise<StatusNews[]>;
let watcher: StatusWatcher;

beforeEach(() => {
  jest.useFakeTimers();
  looks.length = 0;
  answer = async () => [];
  watcher = new StatusWatcher(
    (seen) => {
      looks.push([...seen]);
      return answer();
    },
    createLogger({ service: 'test', level: 'silent' }),
  );
});

afterEach(() => {
  jest.useRealTimers();
});

/** A watch that remembers the versions it was told. */
function watching(orderId: OrderId, seenVersion: number): { told: number[]; stop: () => void } {
  const told: number[] = [];
  const stop = watcher.watch(orderId, seenVersion, ({ changes }) =>
    told.push(...changes.map(({ version }) => version)),
  );
  return { told, stop };
}

describe('the watcher of orders', () => {
  it('looks for all watched orders at once, ten times a second', async () => {
    watching(mug, 1);
    watching(mug, 2);
    watching(tea, 3);
    await jest.advanceTimersByTimeAsync(1000);
    expect(looks).toHaveLength(10);
    expect(looks[0]).toEqual([
      [mug, 1],
      [tea, 3],
    ]);
  });

  it('does not look while nobody watches', async () => {
    const { stop } = watching(mug, 1);
    stop();
    await jest.advanceTimersByTimeAsync(1000);
    expect(looks).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
    watching(tea, 1);
    await jest.advanceTimersByTimeAsync(100);
    expect(looks).toEqual([[[tea, 1]]]);
  });

  it('tells each watch what it has not seen, once', async () => {
    const [early, late, other] = [watching(mug, 1), watching(mug, 2), watching(tea, 0)];
    answer = async () => [news(mug, 3)];
    await jest.advanceTimersByTimeAsync(300);
    expect([early.told, late.told, other.told]).toEqual([[2, 3], [3], []]);
    expect(looks[1]).toContainEqual([mug, 3]);
  });

  it('does not look twice at the same time', async () => {
    watching(mug, 1);
    const slow = Promise.withResolvers<StatusNews[]>();
    answer = () => slow.promise;
    await jest.advanceTimersByTimeAsync(5000);
    watching(tea, 1);
    await jest.advanceTimersByTimeAsync(5000);
    expect(looks).toHaveLength(1);
    slow.resolve([]);
    await jest.advanceTimersByTimeAsync(100);
    expect(looks).toHaveLength(2);
  });

  it('looks every second while the database is away, and tells later what was missed', async () => {
    const { told } = watching(mug, 1);
    answer = () => Promise.reject(new Error('away'));
    await jest.advanceTimersByTimeAsync(100);
    await jest.advanceTimersByTimeAsync(3000);
    expect(looks).toHaveLength(4);
    answer = async () => [news(mug, 2)];
    await jest.advanceTimersByTimeAsync(1000);
    expect(told).toEqual([2]);
    await jest.advanceTimersByTimeAsync(100);
    expect(looks).toHaveLength(6);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { closedLoop } from './closed-loop.ts';
import type { OrderObserver } from './order-observer.ts';
import { type OrderPlacer, TooBusyError } from './order-placer.ts';

const stop = new AbortController().signal;
const ORDER_MS = 150;

/** A shop in which every order takes the same time, however many there are. */
function steadyShop(): { placer: OrderPlacer; observer: OrderObserver } {
  const reached = { confirmed: 0, shipped: 0, completed: 0, cancelled: 0 };
  const follow = () => ({
    confirmed: Promise.resolve(performance.now()),
    ended: sleep(ORDER_MS).then(() => {
      reached.completed += 1;
      return { how: 'completed' as const, atMs: performance.now() };
    }),
  });
  const place = (): Promise<string> => Promise.resolve('an order');
  return { placer: { place } as unknown as OrderPlacer, observer: { follow, reached } as unknown as OrderObserver };
}

describe('the closed loop', () => {
  it('counts from when every customer has had an order, so that a full pipeline is measured', async () => {
    const { placer, observer } = steadyShop();
    const told: string[] = [];
    const result = await closedLoop(placer, observer, {
      customers: 10,
      seconds: 0.5,
      stop,
      stopwatch: {
        onBegin: () => told.push(`begins after ${observer.reached.completed}`),
        onEnd: () => told.push('ends'),
        onSecond: () => {},
      },
    });
    expect(told).toEqual(['begins after 10', 'ends']);
    expect(result.seconds).toBeGreaterThanOrEqual(0.5);
    expect(observer.reached.completed).toBeGreaterThanOrEqual(result.completed + 10);
  });

  it('lasts until as many orders were completed as there are customers, however short it was to be', async () => {
    const { placer, observer } = steadyShop();
    const stopwatch = { onBegin: () => {}, onEnd: () => {}, onSecond: () => {} };
    const result = await closedLoop(placer, observer, { customers: 10, seconds: 0.01, stop, stopwatch });
    expect(result.completed).toBeGreaterThanOrEqual(10);
    expect(result.seconds).toBeGreaterThan(0.1);
  });

  it('ends with its time when nothing is measured', async () => {
    const { placer, observer } = steadyShop();
    const result = await closedLoop(placer, observer, { customers: 10, seconds: 0.05, stop });
    expect(result.seconds).toBeLessThan(ORDER_MS / 1000);
  });

  it('lets customers who are turned away come again when they were asked to', async () => {
    const { placer, observer } = steadyShop();
    const RETRY_AFTER_MS = 20;
    const cameAt: number[] = [];
    const busyAtFirst = (): Promise<string> => {
      cameAt.push(performance.now());
      return cameAt.length === 1
        ? Promise.reject(new TooBusyError('POST /orders answered 503', RETRY_AFTER_MS))
        : placer.place();
    };
    const stopwatch = { onBegin: () => {}, onEnd: () => {}, onSecond: () => {} };
    const result = await closedLoop({ place: busyAtFirst } as unknown as OrderPlacer, observer, {
      customers: 1,
      seconds: 0.01,
      stop,
      stopwatch,
    });
    expect(result.completed).toBeGreaterThanOrEqual(1);
    const [first = 0, second = 0] = cameAt;
    // A timer may be a millisecond early.
    expect(second - first).toBeGreaterThanOrEqual(RETRY_AFTER_MS - 1);
  });
});

import { setTimeout as wait } from 'node:timers/promises';
import type { OrderObserver } from './order-observer.ts';
import { type OrderPlacer, TooBusyError } from './order-placer.ts';
import { LAST_ORDER_WITHIN_SECONDS, within } from './within.ts';

/** What a loop saw: durations from the 202 to the readable confirmation, and orders that reached their end. */
export interface LoopResult {
  readonly confirmedMs: readonly number[];
  readonly completed: number;
  readonly seconds: number;
  /** Orders completed in each second. */
  readonly perSecond: readonly number[];
}

/** One order after the other, with nothing else going on. */
export async function oneAtATime(
  placer: OrderPlacer,
  observer: OrderObserver,
  seconds: number,
  stop: AbortSignal,
): Promise<readonly number[]> {
  const confirmedMs: number[] = [];
  const startedAt = performance.now();
  while (performance.now() - startedAt < seconds * 1000) {
    stop.throwIfAborted();
    const orderId = await placer.place();
    const acceptedAt = performance.now();
    const { confirmed, ended } = observer.follow(orderId);
    confirmedMs.push(Math.max(0, (await confirmed) - acceptedAt));
    await ended;
  }
  return confirmedMs;
}

/** Hears when the time that counts begins and ends, and each second of it. */
export interface Stopwatch {
  onBegin(): void;
  onEnd(): void;
  onSecond(completed: number): void;
}

// Customers who all come in one moment measure the queue at the door.
const ARRIVALS_PER_SECOND = 500;

// Often enough that a second is a second.
const LOOK_EVERY_MS = 10;

/**
 * Closed loop: `customers` customers, each of whom places the next order when the last one is complete. Orders per second are those
 * completed within the time, so what is accepted but not done does not count. Resolves when the last order has ended.
 *
 * With a stopwatch the time begins when as many orders were completed as there are customers: they all come at once, so their first
 * orders go through the stages together and would be missing at the end of a short time. For the same reason it lasts until as many
 * more were completed, if that takes longer than the seconds.
 */
export async function closedLoop(
  placer: OrderPlacer,
  observer: OrderObserver,
  options: {
    readonly customers: number;
    readonly seconds: number;
    readonly stop: AbortSignal;
    readonly stopwatch?: Stopwatch;
  },
): Promise<LoopResult> {
  const { customers, seconds, stop, stopwatch } = options;
  const orders = stopwatch === undefined ? 0 : customers;
  const confirmedMs: number[] = [];
  const perSecond: number[] = [];
  const before = observer.reached.completed;
  let begun: { readonly atMs: number; readonly completed: number } | undefined;
  let result: LoopResult | undefined;

  const look = (): void => {
    const { completed } = observer.reached;
    if (begun === undefined) {
      if (completed - before < orders) return;
      begun = { atMs: performance.now(), completed };
      stopwatch?.onBegin();
      return;
    }
    const elapsed = (performance.now() - begun.atMs) / 1000;
    while (perSecond.length + 1 <= elapsed) {
      const known = perSecond.reduce((sum, each) => sum + each, begun.completed);
      perSecond.push(completed - known);
      stopwatch?.onSecond(completed - known);
    }
    if (elapsed < seconds || completed - begun.completed < orders) return;
    clearInterval(looking);
    result = { confirmedMs: [...confirmedMs], completed: completed - begun.completed, seconds: elapsed, perSecond };
    stopwatch?.onEnd();
  };
  const looking = setInterval(look, LOOK_EVERY_MS);
  try {
    const served = Array.from({ length: customers }, async (_, nth) => {
      await wait((nth / ARRIVALS_PER_SECOND) * 1000);
      while (result === undefined) {
        stop.throwIfAborted();
        const orderId = await placed(placer);
        if (orderId === undefined) continue;
        const acceptedAt = performance.now();
        const { confirmed, ended } = observer.follow(orderId);
        void confirmed.then((atMs) => begun !== undefined && confirmedMs.push(Math.max(0, atMs - acceptedAt)));
        await ended;
      }
    });
    await within(seconds + 2 * LAST_ORDER_WITHIN_SECONDS, 'the last order ended', Promise.all(served));
  } finally {
    clearInterval(looking);
  }
  if (result === undefined) throw new Error('the time was never up');
  return result;
}

/** Whom the shop asks to come again does so, and is no order until then. */
async function placed(placer: OrderPlacer): Promise<string | undefined> {
  try {
    return await placer.place();
  } catch (error) {
    if (!(error instanceof TooBusyError)) throw error;
    await wait(error.retryAfterMs * (1 + Math.random()));
    return undefined;
  }
}

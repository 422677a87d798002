import type { OrderObserver } from './order-observer.ts';
import type { OrderPlacer } from './order-placer.ts';
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

/**
 * Closed loop: `customers` customers, each of whom places the next order when the last one is complete. Orders per second are those
 * completed within the time, so what is accepted but not done does not count. Resolves when the last order has ended.
 */
export async function closedLoop(
  placer: OrderPlacer,
  observer: OrderObserver,
  options: {
    readonly customers: number;
    readonly seconds: number;
    readonly stop: AbortSignal;
    /** Called at the end of the time, before the orders that are still under way have ended. */
    readonly onTimeUp?: () => void;
    readonly onSecond?: (completed: number) => void;
  },
): Promise<LoopResult> {
  const { customers, seconds, stop, onTimeUp, onSecond } = options;
  const confirmedMs: number[] = [];
  const perSecond: number[] = [];
  const startedAt = performance.now();
  const before = observer.reached.completed;
  let result: LoopResult | undefined;
  let last = before;
  const ticker = setInterval(() => {
    const now = observer.reached.completed;
    perSecond.push(now - last);
    onSecond?.(now - last);
    last = now;
  }, 1000);
  const bell = setTimeout(() => {
    clearInterval(ticker);
    result = {
      confirmedMs,
      completed: observer.reached.completed - before,
      seconds: (performance.now() - startedAt) / 1000,
      perSecond,
    };
    onTimeUp?.();
  }, seconds * 1000);
  try {
    const served = Array.from({ length: customers }, async () => {
      while (result === undefined) {
        stop.throwIfAborted();
        const orderId = await placer.place();
        const acceptedAt = performance.now();
        const { confirmed, ended } = observer.follow(orderId);
        void confirmed.then((atMs) => confirmedMs.push(Math.max(0, atMs - acceptedAt)));
        await ended;
      }
    });
    await within(seconds + LAST_ORDER_WITHIN_SECONDS, 'the last order ended', Promise.all(served));
  } finally {
    clearInterval(ticker);
    clearTimeout(bell);
  }
  if (result === undefined) throw new Error('the time was never up');
  return result;
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderObserver } from './order-observer.ts';
import type { OrderPlacer } from './order-placer.ts';
import { LAST_ORDER_WITHIN_SECONDS, within } from './within.ts';

/** What became of orders that came at an even rate, whatever became of those before them. */
export interface OpenLoopResult {
  readonly placed: number;
  /** Turned away, or not answered. */
  readonly failed: number;
  readonly completed: number;
  readonly seconds: number;
  /** From the 202 to the readable confirmation. */
  readonly acceptedToConfirmedMs: readonly number[];
  /**
   * From the moment at which the order was due to the readable confirmation. When the shop, or this process, falls behind, the wait of
   * those who could not even ask is in it: nothing is omitted.
   */
  readonly dueToConfirmedMs: readonly number[];
  /** Orders that had been accepted and had not ended, looked at ten times a second. */
  readonly underWay: readonly UnderWay[];
}

export interface UnderWay {
  readonly atMs: number;
  readonly orders: number;
}

// A timer of Node is never earlier, and seldom more than a millisecond late; what became due meanwhile is placed together.
const TICK_MS = 1;
const LOOK_EVERY_MS = 100;

/**
 * Open loop: orders become due at an even rate and are placed when they are due, whether or not the ones before were answered. `until`
 * ends the placing (a number of seconds, or a promise); resolves when every order that was accepted has ended.
 */
export async function openLoop(
  placer: OrderPlacer,
  observer: OrderObserver,
  options: {
    readonly perSecond: number;
    readonly until: number | Promise<unknown>;
    readonly stop: AbortSignal;
    /** Hears of each look. */
    readonly onLook?: (look: UnderWay) => void;
  },
): Promise<OpenLoopResult> {
  const { perSecond, until, stop, onLook } = options;
  const acceptedToConfirmedMs: number[] = [];
  const dueToConfirmedMs: number[] = [];
  const underWay: UnderWay[] = [];
  const orders: Promise<void>[] = [];
  const count = { placed: 0, failed: 0, open: 0, completed: 0 };
  const startedAt = performance.now();

  async function place(dueAt: number): Promise<void> {
    let orderId: string;
    try {
      orderId = await placer.place();
    } catch {
      count.failed += 1;
      return;
    }
    const acceptedAt = performance.now();
    count.open += 1;
    const { confirmed, ended } = observer.follow(orderId);
    void confirmed.then((atMs) => {
      acceptedToConfirmedMs.push(Math.max(0, atMs - acceptedAt));
      dueToConfirmedMs.push(atMs - dueAt);
    });
    const { how } = await ended;
    count.open -= 1;
    if (how === 'completed') count.completed += 1;
  }

  let isOver = false;
  const over = typeof until === 'number' ? sleep(until * 1000, undefined, { signal: stop }) : until;
  const ending = over.finally(() => (isOver = true));
  ending.catch(() => {}); // is awaited below
  const looking = setInterval(() => {
    const look = { atMs: performance.now() - startedAt, orders: count.open };
    underWay.push(look);
    onLook?.(look);
  }, LOOK_EVERY_MS);
  try {
    while (!isOver) {
      stop.throwIfAborted();
      const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
      for (; count.placed < due; count.placed += 1) {
        orders.push(place(startedAt + (count.placed / perSecond) * 1000));
      }
      await sleep(TICK_MS);
    }
    await ending;
    const seconds = (performance.now() - startedAt) / 1000;
    await within(LAST_ORDER_WITHIN_SECONDS, 'the last order ended', Promise.all(orders));
    return { ...count, seconds, acceptedToConfirmedMs, dueToConfirmedMs, underWay };
  } finally {
    clearInterval(looking);
  }
}

import type { OrderObserver } from './order-observer.ts';
import type { OrderPlacer } from './order-placer.ts';

/** What a phase saw: durations from the 202 to the readable confirmation, and orders that reached their end. */
export interface PhaseResult {
  readonly confirmedMs: readonly number[];
  readonly completed: number;
  readonly seconds: number;
}

/** One order after the other, with nothing else going on. */
export async function idlePhase(placer: OrderPlacer, observer: OrderObserver, seconds: number): Promise<PhaseResult> {
  const confirmedMs: number[] = [];
  const startedAt = performance.now();
  while (performance.now() - startedAt < seconds * 1000) {
    const orderId = await placer.place();
    const acceptedAt = performance.now();
    await observer.confirmation(orderId);
    confirmedMs.push(performance.now() - acceptedAt);
    await observer.end(orderId);
  }
  return { confirmedMs, completed: confirmedMs.length, seconds: (performance.now() - startedAt) / 1000 };
}

/**
 * Closed loop: `customers` customers, each of whom places the next order when the last one is complete. Orders per second
 * are those completed within the time, so what is accepted but not done does not count.
 */
export async function saturatedPhase(
  placer: OrderPlacer,
  observer: OrderObserver,
  customers: number,
  seconds: number,
  onProgress: (completedPerSecond: number) => void,
): Promise<PhaseResult> {
  const confirmedMs: number[] = [];
  const startedAt = performance.now();
  const completedBefore = observer.completed;
  const isOver = (): boolean => performance.now() - startedAt >= seconds * 1000;
  let last = completedBefore;
  const ticker = setInterval(() => {
    onProgress(observer.completed - last);
    last = observer.completed;
  }, 1000);
  const { promise: atEnd, resolve } = Promise.withResolvers<{ completed: number; seconds: number }>();
  const bell = setTimeout(
    () => resolve({ completed: observer.completed - completedBefore, seconds: (performance.now() - startedAt) / 1000 }),
    seconds * 1000,
  );
  try {
    await Promise.all(
      Array.from({ length: customers }, async () => {
        while (!isOver()) {
          const orderId = await placer.place();
          const acceptedAt = performance.now();
          void observer.confirmation(orderId).then(() => confirmedMs.push(performance.now() - acceptedAt));
          await observer.end(orderId);
        }
      }),
    );
  } finally {
    clearInterval(ticker);
    if (!isOver()) clearTimeout(bell);
  }
  return { confirmedMs, ...(await atEnd) };
}

import { closedLoop } from '../load/closed-loop.ts';
import { CONNECTIONS, drive } from '../load/drive.ts';
import type { OrderObserver } from '../load/order-observer.ts';
import type { OrderPlacer } from '../load/order-placer.ts';
import type { System } from '../systems/system.ts';
import type { Bench } from './phase.ts';

// Each customer has one order under way. Enough to keep the baseline busy; more would only wait for each other.
const BASELINE_CUSTOMERS = 100;

/** How many customers it takes to saturate a system. */
export function customersOf({ options }: Bench, { name }: System): number {
  return name === 'millrace' ? options.customers : BASELINE_CUSTOMERS;
}

/** Drives a system that is warm, and in which nothing is under way. `connections`: requests at once at most. */
export async function warmedUp<T>(
  bench: Bench,
  system: System,
  work: (placer: OrderPlacer, observer: OrderObserver) => Promise<T>,
  connections = CONNECTIONS,
): Promise<T> {
  const { options, say, stop } = bench;
  const customers = customersOf(bench, system);
  return drive(system, connections, async (placer, observer) => {
    say(`  warming up for ${options.warmUpSeconds} s …`);
    await closedLoop(placer, observer, { customers, seconds: options.warmUpSeconds, stop });
    // Mails and figures come after the end of an order.
    await system.settled();
    return work(placer, observer);
  });
}

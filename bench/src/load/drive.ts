import type { System } from '../systems/system.ts';
import { OrderObserver } from './order-observer.ts';
import { OrderPlacer } from './order-placer.ts';

/** Enough for any number of customers: requests are answered long before orders have ended. */
export const CONNECTIONS = 256;

/** Places orders in a system and watches them, while `work` runs. */
export async function drive<T>(
  system: System,
  connections: number,
  work: (placer: OrderPlacer, observer: OrderObserver) => Promise<T>,
): Promise<T> {
  const observer = new OrderObserver(system);
  const placer = new OrderPlacer(system.orderUrl, connections);
  await observer.start();
  try {
    return await work(placer, observer);
  } finally {
    placer.close();
    await observer.stop();
  }
}

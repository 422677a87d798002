import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { openLoop } from './open-loop.ts';
import type { OrderObserver } from './order-observer.ts';
import type { OrderPlacer } from './order-placer.ts';

const stop = new AbortController().signal;
const STALL_MS = 400;

/** A shop that answers nobody for a while and then everybody at once; orders are confirmed as soon as they are accepted. */
function stallingShop(): { placer: OrderPlacer; observer: OrderObserver } {
  const opensAt = performance.now() + STALL_MS;
  const place = async (): Promise<string> => {
    await sleep(Math.max(0, opensAt - performance.now()));
    return 'an order';
  };
  const follow = () => ({
    confirmed: Promise.resolve(performance.now()),
    ended: Promise.resolve({ how: 'completed' as const, atMs: performance.now() }),
  });
  return { placer: { place } as unknown as OrderPlacer, observer: { follow } as unknown as OrderObserver };
}

describe('the open loop', () => {
  it('goes on placing orders while the shop stalls, and counts the wait of each', async () => {
    const { placer, observer } = stallingShop();
    const result = await openLoop(placer, observer, { perSecond: 100, until: 0.5, stop });
    expect(result.placed).toBeGreaterThanOrEqual(45);
    expect(result.completed).toBe(result.placed);
    // Nine of ten orders became due during the stall. A loop that waits for answers would have seen one slow order.
    const waited = result.dueToConfirmedMs.filter((ms) => ms > 50);
    expect(waited.length).toBeGreaterThan(result.placed / 2);
    expect(Math.max(...result.dueToConfirmedMs)).toBeGreaterThan(STALL_MS * 0.9);
    expect(Math.max(...result.acceptedToConfirmedMs)).toBeLessThan(STALL_MS * 0.9);
  });

  it('counts an order that was turned away as failed, and goes on', async () => {
    const { observer } = stallingShop();
    const placer = { place: () => Promise.reject(new Error('503')) } as unknown as OrderPlacer;
    const result = await openLoop(placer, observer, { perSecond: 100, until: 0.2, stop });
    expect(result.failed).toBe(result.placed);
    expect(result.completed).toBe(0);
  });
});

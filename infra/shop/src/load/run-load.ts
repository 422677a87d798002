import { setTimeout as sleep } from 'node:timers/promises';
import { customerMix } from './customer-mix.ts';
import { OrderDesk } from './order-desk.ts';
import { Pace } from './pace.ts';
import type { Random } from './random.ts';
import { type Refill, Shelves } from './shelves.ts';
import { Tally } from './tally.ts';

export interface LoadOptions {
  readonly orderUrl: string;
  readonly inventoryUrl: string;
  readonly ordersPerSecond: number;
  readonly random: Random;
  readonly say: (line: string) => void;
  readonly stop: AbortSignal;
}

const TICK_MS = 20;
const STATUS_EVERY_MS = 10_000;
const REFILL_EVERY_MS = 5_000;

// The most popular product is on every other order. What is left when it is refilled lasts for some more looks.
const refillAt = (ordersPerSecond: number): Refill => {
  const below = Math.max(200, Math.ceil(ordersPerSecond * 20));
  return { below, add: below * 10 };
};

// What is under way when the API gets slow: two seconds of orders, so that a slow answer does not slow down the others.
const inFlightAt = (ordersPerSecond: number): number => Math.max(20, Math.ceil(ordersPerSecond * 2));

// Orders that were sent when it was stopped still get their answers.
const FINISH_WITHIN_MS = 5_000;

/** Places orders at an even rate until it is stopped, and says every ten seconds what became of them. Resolves to the totals. */
export async function runLoad(options: LoadOptions): Promise<Tally> {
  const { orderUrl, inventoryUrl, ordersPerSecond, random, say, stop } = options;
  const shelves = new Shelves(inventoryUrl);
  const assortment = await shelves.assortment();
  const nextVisit = customerMix(assortment, random);
  const tally = new Tally();
  const desk = new OrderDesk(orderUrl, tally, stop);
  const startedAt = performance.now();
  const pace = new Pace(ordersPerSecond, startedAt);
  const maxInFlight = inFlightAt(ordersPerSecond);
  const inFlight = new Set<Promise<void>>();

  const status = setInterval(() => say(tally.line(performance.now() - startedAt)), STATUS_EVERY_MS);
  const refilling = keepFull(() => shelves.refill(assortment.inStock, refillAt(ordersPerSecond)), tally, stop);
  while (!stop.aborted) {
    const { start, missed } = pace.take(performance.now(), desk.isClosed ? 0 : maxInFlight - inFlight.size);
    tally.missed(missed);
    for (let started = 0; started < start; started++) {
      const served = desk.serve(nextVisit()).finally(() => inFlight.delete(served));
      inFlight.add(served);
    }
    await sleep(TICK_MS, undefined, { signal: stop }).catch(() => {}); // the loop looks at the signal
  }
  clearInterval(status);
  await Promise.race([Promise.all([...inFlight, refilling]), sleep(FINISH_WITHIN_MS)]);
  say(`Stopped. ${tally.line(performance.now() - startedAt)}`);
  return tally;
}

async function keepFull(refill: () => Promise<number>, tally: Tally, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    try {
      tally.restocked(await refill());
    } catch {
      tally.failed(); // it is tried again
    }
    await sleep(REFILL_EVERY_MS, undefined, { signal: stop }).catch(() => {}); // the loop looks at the signal
  }
}

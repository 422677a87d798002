import { LAST_ORDER_WITHIN_SECONDS, within } from '../load/within.ts';
import { round } from '../measure/percentiles.ts';
import { startMillrace } from '../systems/millrace.ts';
import type { Bench } from './phase.ts';
import { warmedUp } from './warmed-up.ts';

export interface BacklogDrain {
  readonly service: string;
  readonly orders: number;
  /** How fast the orders were accepted while the first service after the order service was away. */
  readonly acceptedPerSecond: number;
  /** From the start of the service until the last order was completed. */
  readonly seconds: number;
  readonly ordersPerSecond: number;
}

const SERVICE = 'inventory';
const CONNECTIONS = 64;

/** How fast the shop works off orders that it has accepted while the first service that they need was away. */
export async function backlogDrain(bench: Bench): Promise<BacklogDrain> {
  const { options, say, stop } = bench;
  const orders = options.backlogOrders;
  say(`Backlog: ${orders} orders wait for the ${SERVICE} service`);
  return bench.run(startMillrace, (system) =>
    warmedUp(bench, system, async (placer, observer) => {
      const [replica] = system.shop.services[SERVICE];
      if (replica === undefined) throw new Error(`there is no ${SERVICE} service`);
      await replica.stop();

      const acceptingFrom = performance.now();
      const ends: Promise<unknown>[] = [];
      let next = 0;
      await Promise.all(
        Array.from({ length: CONNECTIONS }, async () => {
          while (next++ < orders) {
            stop.throwIfAborted();
            ends.push(observer.follow(await placer.place()).ended);
          }
        }),
      );
      const acceptedPerSecond = round(orders / ((performance.now() - acceptingFrom) / 1000));
      say(`  accepted at ${acceptedPerSecond}/s; now the service starts`);

      const drainingFrom = performance.now();
      await replica.start();
      await within(LAST_ORDER_WITHIN_SECONDS, 'the last order ended', Promise.all(ends));
      const seconds = round((performance.now() - drainingFrom) / 1000);
      say(`  worked off in ${seconds} s, ${round(orders / seconds)} orders/s`);
      await replica.ready();
      return { service: SERVICE, orders, acceptedPerSecond, seconds, ordersPerSecond: round(orders / seconds) };
    }),
  );
}

import { Filling, ordersIn } from '../growth/filling.ts';
import { closedLoop } from '../load/closed-loop.ts';
import { CONNECTIONS, drive } from '../load/drive.ts';
import { asked } from '../measure/asked.ts';
import { type DiskUse, diskUseOf } from '../measure/disk.ts';
import { round } from '../measure/percentiles.ts';
import { type ByProcess, perOrder, totalOf } from '../measure/usage-recorder.ts';
import { type Millrace, startMillrace } from '../systems/millrace.ts';
import { totalsOf } from '../systems/millrace-totals.ts';
import type { System, SystemOptions } from '../systems/system.ts';
import { measuredLoop } from './measured-loop.ts';
import type { Bench } from './phase.ts';

export interface GrowthStep {
  /** In the database when the measurement began. */
  readonly orders: number;
  /** How many of these were placed; the others are copies of them. */
  readonly placed: number;
  readonly ordersPerSecond: number;
  readonly cpuMsPerOrder: ByProcess;
  readonly cpuMsPerOrderTotal: number;
  readonly disk: DiskUse;
  /** Of all databases, part of `disk.postgres`. */
  readonly indexBytes: number;
}

export interface Growth {
  readonly steps: readonly GrowthStep[];
  /** How much more CPU time the dearest order took than an order of the first step; 0.05 is 5 %. */
  readonly grownBy: number;
  readonly isFlat: boolean;
}

const MOST_GROWTH = 0.2;
const PLACE_SECONDS = 10;

/**
 * What an order costs while more and more orders lie in the databases. The orders of the first step are placed; before each later step
 * they are copied there. Before every measurement some more are placed until the shop is at work.
 */
export async function growth(bench: Bench): Promise<Growth> {
  const { options, say, stop } = bench;
  const { customers, warmUpSeconds } = options;
  say(`Growth: an order's cost with ${options.growthOrders.join(', ')} orders in the databases`);
  let copied = 0;
  // What is read into memory to compare order by order is too much of a million: here the sums are compared.
  const start = async (system: SystemOptions): Promise<Millrace> => {
    const millrace = await startMillrace(system);
    return { ...millrace, books: () => totalsOf(millrace.shop, copied) };
  };
  const steps = await bench.run(start, async (system) => {
    // What the shop says of itself at its start belongs to no order.
    await system.settled();
    const filling = new Filling(bench, system);
    return drive(system, CONNECTIONS, async (placer, observer) => {
      const found: GrowthStep[] = [];
      for (const orders of options.growthOrders) {
        if (found.length === 0) {
          while (observer.reached.completed < orders) {
            await closedLoop(placer, observer, { customers, seconds: PLACE_SECONDS, stop });
            say(`  ${observer.reached.completed} orders`);
          }
        } else {
          copied = await filling.upTo(orders);
        }
        // Before the first step too: a cold one would be dear, and hide what comes with the orders.
        say(`  warming up for ${warmUpSeconds} s …`);
        await closedLoop(placer, observer, { customers, seconds: warmUpSeconds, stop });
        await system.settled();
        const inDatabase = await ordersIn(system.shop);
        const { loop, recording } = await measuredLoop(bench, system, placer, observer);
        const cpuMsPerOrder = perOrder(recording.cpuMs, loop.completed);
        const step: GrowthStep = {
          orders: inDatabase,
          placed: inDatabase - copied,
          ordersPerSecond: round(loop.completed / loop.seconds),
          cpuMsPerOrder,
          cpuMsPerOrderTotal: totalOf(cpuMsPerOrder),
          disk: await diskUseOf(system),
          indexBytes: await indexBytesOf(system),
        };
        say(
          `  with ${inDatabase} orders: ${step.cpuMsPerOrderTotal} ms of CPU per order, ${step.ordersPerSecond} orders/s`,
        );
        found.push(step);
      }
      return found;
    });
  });
  const costs = steps.map(({ cpuMsPerOrderTotal }) => cpuMsPerOrderTotal);
  const grownBy = round(Math.max(...costs) / (costs[0] ?? Number.NaN) - 1);
  say(`  the dearest order cost ${round(grownBy * 100)} % more than those of the first step`);
  return { steps, grownBy, isFlat: grownBy <= MOST_GROWTH };
}

async function indexBytesOf({ postgresUrl }: System): Promise<number> {
  const databases = await asked<{ datname: string }>(
    postgresUrl,
    'SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate',
  );
  let bytes = 0;
  for (const { datname } of databases) {
    const url = new URL(postgresUrl);
    url.pathname = `/${datname}`;
    const [row] = await asked<{ bytes: number }>(
      url.href,
      `SELECT coalesce(sum(pg_indexes_size(oid)), 0)::float8 AS bytes FROM pg_class WHERE relkind = 'r'`,
    );
    bytes += row?.bytes ?? 0;
  }
  return bytes;
}

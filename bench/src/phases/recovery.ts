import { setTimeout as sleep } from 'node:timers/promises';
import { openLoop, type UnderWay } from '../load/open-loop.ts';
import { round } from '../measure/percentiles.ts';
import { startMillrace } from '../systems/millrace.ts';
import { OPEN_LOOP_CONNECTIONS } from './open-loop.ts';
import type { Bench } from './phase.ts';
import { warmedUp } from './warmed-up.ts';

export interface Recovery {
  readonly service: string;
  readonly ordersPerSecond: number;
  readonly outageSeconds: number;
  /** Orders that could not be placed, although only a service behind the order service was away. */
  readonly failed: number;
  /** Orders under way when the service came back, of those that came at the same rate all the time. */
  readonly waited: number;
  /** From its start until it said that it is ready. */
  readonly readySeconds: number;
  /** From its start until no more orders were under way than before the outage, while more kept coming. */
  readonly caughtUpSeconds: number;
  /** Orders under way each second, from ten seconds before the outage on. */
  readonly underWay: readonly { readonly atSeconds: number; readonly orders: number }[];
}

const SERVICE = 'payment';
const CALM_SECONDS = 10;
const GIVE_UP_AFTER_SECONDS = 300;

// The middle of a calm time is exceeded by chance half of the time; what is under way varies by about this.
const CALM_AGAIN = 1.5;

/** Kills a service under load, starts it again, and looks when the shop has caught up. */
export async function recovery(bench: Bench): Promise<Recovery> {
  const { options, say, stop } = bench;
  const { rate, outageSeconds } = options;
  say(`Recovery: the ${SERVICE} service is killed for ${outageSeconds} s at ${rate} orders/s`);
  return bench.run(startMillrace, (system) =>
    warmedUp(
      bench,
      system,
      async (placer, observer) => {
        const [replica] = system.shop.services[SERVICE];
        if (replica === undefined) throw new Error(`there is no ${SERVICE} service`);
        const looks: UnderWay[] = [];
        const pause = (seconds: number): Promise<void> => sleep(seconds * 1000, undefined, { signal: stop });

        async function story(): Promise<Pick<Recovery, 'waited' | 'readySeconds' | 'caughtUpSeconds'>> {
          await pause(CALM_SECONDS);
          // The beginning, in which everything is as fast as when idle, is no measure.
          const calm = Math.max(...looks.slice(looks.length / 2).map(({ orders }) => orders));
          await replica?.kill('SIGKILL');
          say(`  killed, with ${looks.at(-1)?.orders} orders under way`);
          await pause(outageSeconds);
          const waited = looks.at(-1)?.orders ?? 0;
          say(`  started again, with ${waited} orders under way`);
          const startedAt = performance.now();
          await replica?.start();
          await replica?.ready();
          const readySeconds = round((performance.now() - startedAt) / 1000);
          while ((looks.at(-1)?.orders ?? 0) > calm * CALM_AGAIN) {
            if ((performance.now() - startedAt) / 1000 > GIVE_UP_AFTER_SECONDS)
              throw new Error(
                `the shop has not caught up after ${GIVE_UP_AFTER_SECONDS} s: ${rate}/s is too much for it`,
              );
            await pause(0.05);
          }
          const caughtUpSeconds = round((performance.now() - startedAt) / 1000);
          say(`  ready after ${readySeconds} s, caught up after ${caughtUpSeconds} s`);
          await pause(1);
          return { waited, readySeconds, caughtUpSeconds };
        }

        const told = story();
        const loop = await openLoop(placer, observer, {
          perSecond: rate,
          until: told,
          stop,
          onLook: (look) => looks.push(look),
        });
        return {
          service: SERVICE,
          ordersPerSecond: rate,
          outageSeconds,
          failed: loop.failed,
          ...(await told),
          underWay: looks
            .filter((_, index) => index % 10 === 9)
            .map(({ atMs, orders }) => ({ atSeconds: Math.round(atMs / 1000), orders })),
        };
      },
      OPEN_LOOP_CONNECTIONS,
    ),
  );
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Database } from '@millrace/database';
import { cancelReplay, replayStatus, startReplay } from '@millrace/messaging/replay';
import { closedLoop } from '../load/closed-loop.ts';
import { CONNECTIONS, drive } from '../load/drive.ts';
import { round } from '../measure/percentiles.ts';
import { startMillrace } from '../systems/millrace.ts';
import type { Bench } from './phase.ts';

export interface Replay {
  readonly projection: string;
  readonly events: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
}

const PROJECTION = 'analytics.shop';
const LOOK_EVERY_MS = 20;
const GIVE_UP_AFTER_MS = 300_000;

/** How fast a read model is rebuilt from the topics, beside the live one. */
export async function replay(bench: Bench): Promise<Replay> {
  const { options, say, stop } = bench;
  say(`Replay: ${PROJECTION} from the first record`);
  return bench.run(startMillrace, async (system) => {
    say(`  making events for ${options.seconds} s …`);
    await drive(system, CONNECTIONS, (placer, observer) =>
      closedLoop(placer, observer, { customers: options.customers, seconds: options.seconds, stop }),
    );
    await system.settled();
    const database = new Database({ url: system.shop.databases.analytics, applicationName: 'bench' });
    try {
      await startReplay(database, { projection: PROJECTION, askedBy: 'bench' });
      let startedAt: number | undefined;
      for (
        const end = performance.now() + GIVE_UP_AFTER_MS;
        ;
        await sleep(LOOK_EVERY_MS, undefined, { signal: stop })
      ) {
        const status = await replayStatus(database, PROJECTION);
        if (status === undefined || status.state === 'failed') throw new Error(`the replay failed: ${status?.problem}`);
        // Until a replica has taken it, it waits.
        if (status.isHeld) startedAt ??= performance.now();
        if (startedAt !== undefined && status.state === 'caught-up') {
          const seconds = round((performance.now() - startedAt) / 1000);
          const eventsPerSecond = Math.round(status.applied / seconds);
          say(`  ${status.applied} events in ${seconds} s, ${eventsPerSecond} events/s`);
          await cancelReplay(database, PROJECTION);
          return { projection: PROJECTION, events: status.applied, seconds, eventsPerSecond };
        }
        if (performance.now() > end) throw new Error('the replay does not end');
      }
    } finally {
      await database.close();
    }
  });
}

import type { Database } from '@millrace/database';
import type { Metrics } from '@millrace/observability';
import type { ends, Stage } from './domain/checkout.ts';
import { checkoutsInFlight, type StageLoad } from './store/checkouts-in-flight.ts';

// Ten thousand checkouts under way take some ten milliseconds.
const LOOK_WITHIN_MS = 800;

type WaitingStage = Exclude<Stage, (typeof ends)[number]>;

// A stage at which nobody waits is shown as 0, not as missing.
const NOBODY_WAITS: Readonly<Record<WaitingStage, 0>> = {
  AwaitingStock: 0,
  AwaitingPayment: 0,
  AwaitingDispatch: 0,
  RecallingShipment: 0,
  AwaitingCapture: 0,
  Cancelling: 0,
};

/** Shows, at each scrape, how many checkouts are under way, for how long, and whether one was forgotten. The same for all replicas. */
export class CheckoutMetrics {
  constructor(metrics: Metrics, database: Database) {
    const inFlight = metrics.gauge({
      name: 'order_checkouts_in_flight',
      help: 'Checkouts that have not ended, by stage',
      labels: ['stage'],
    });
    const oldest = metrics.gauge({
      name: 'order_checkouts_oldest_seconds',
      help: 'Time since the oldest checkout of a stage was placed; 0 when there is none',
      labels: ['stage'],
    });
    const pastDeadline = metrics.gauge({
      name: 'order_checkouts_past_deadline',
      help: 'Checkouts whose deadline passed more than ten seconds ago and whom nobody woke',
    });
    metrics.lookUp<readonly StageLoad[]>({
      look: () => checkoutsInFlight(database, LOOK_WITHIN_MS),
      show: (loads) => {
        for (const stage of Object.keys(NOBODY_WAITS)) {
          const load = loads.find((each) => each.stage === stage);
          inFlight.set({ stage }, load?.checkouts ?? 0);
          oldest.set({ stage }, Math.max(0, load?.oldestSeconds ?? 0));
        }
        pastDeadline.set(loads.reduce((sum, load) => sum + load.pastDeadline, 0));
      },
      hide: () => {
        inFlight.reset();
        oldest.reset();
        pastDeadline.remove();
      },
    });
  }
}

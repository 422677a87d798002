import { openLoop } from '../load/open-loop.ts';
import { type Bin, binsOf, type Percentiles, percentilesOf, round } from '../measure/percentiles.ts';
import { type ByProcess, perOrder, recordUsage, totalOf } from '../measure/usage-recorder.ts';
import { startMillrace } from '../systems/millrace.ts';
import type { Bench } from './phase.ts';
import { warmedUp } from './warmed-up.ts';

export interface OpenLoop {
  readonly ordersPerSecond: number;
  readonly seconds: number;
  readonly placed: number;
  readonly failed: number;
  readonly acceptedToConfirmed: { readonly percentiles: Percentiles; readonly bins: readonly Bin[] };
  readonly dueToConfirmed: { readonly percentiles: Percentiles; readonly bins: readonly Bin[] };
  readonly cpuMsPerOrder: ByProcess;
  readonly cpuMsPerOrderTotal: number;
}

// More than ever wait for an answer at once, unless the shop has stopped to answer.
export const OPEN_LOOP_CONNECTIONS = 1000;

/** How long orders take while they come at a fixed rate, whatever the shop makes of it. */
export async function fixedRate(bench: Bench): Promise<OpenLoop> {
  const { options, say, stop } = bench;
  say(`Open loop: ${options.rate} orders/s for ${options.seconds} s`);
  return bench.run(startMillrace, (system) =>
    warmedUp(
      bench,
      system,
      async (placer, observer) => {
        const endRecording = recordUsage(system);
        const loop = await openLoop(placer, observer, { perSecond: options.rate, until: options.seconds, stop });
        const { cpuMs } = endRecording();
        const accepted = percentilesOf(loop.acceptedToConfirmedMs);
        const due = percentilesOf(loop.dueToConfirmedMs);
        say(
          `  accepted → confirmed: p50 ${accepted.p50} ms, p99 ${accepted.p99} ms; due → confirmed: p99 ${due.p99} ms`,
        );
        const cpuMsPerOrder = perOrder(cpuMs, loop.completed);
        return {
          ordersPerSecond: options.rate,
          seconds: round(loop.seconds),
          placed: loop.placed,
          failed: loop.failed,
          acceptedToConfirmed: { percentiles: accepted, bins: binsOf(loop.acceptedToConfirmedMs) },
          dueToConfirmed: { percentiles: due, bins: binsOf(loop.dueToConfirmedMs) },
          cpuMsPerOrder,
          cpuMsPerOrderTotal: totalOf(cpuMsPerOrder),
        };
      },
      OPEN_LOOP_CONNECTIONS,
    ),
  );
}

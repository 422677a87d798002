import { closedLoop, type LoopResult } from '../load/closed-loop.ts';
import type { OrderObserver } from '../load/order-observer.ts';
import type { OrderPlacer } from '../load/order-placer.ts';
import { type Recording, recordUsage } from '../measure/usage-recorder.ts';
import type { System } from '../systems/system.ts';
import type { Bench } from './phase.ts';
import { customersOf } from './warmed-up.ts';

/**
 * As many customers as it takes to saturate the system, and what its processes used in the time that counts. `whileMeasured` hears when that
 * time begins and ends.
 */
export async function measuredLoop(
  bench: Bench,
  system: System,
  placer: OrderPlacer,
  observer: OrderObserver,
  whileMeasured: { readonly onBegin: () => void; readonly onEnd: () => void } = { onBegin() {}, onEnd() {} },
): Promise<{ readonly loop: LoopResult; readonly recording: Recording }> {
  const { options, say, stop } = bench;
  const customers = customersOf(bench, system);
  say(`  ${customers} customers for ${options.seconds} s …`);
  let endRecording: (() => Recording) | undefined;
  let recording: Recording | undefined;
  const loop = await closedLoop(placer, observer, {
    customers,
    seconds: options.seconds,
    stop,
    stopwatch: {
      onBegin() {
        endRecording = recordUsage(system);
        whileMeasured.onBegin();
      },
      onEnd() {
        recording = endRecording?.();
        whileMeasured.onEnd();
      },
      onSecond: (completed) => say(`    ${completed} orders/s`),
    },
  });
  if (recording === undefined) throw new Error('the time that counts never ended');
  return { loop, recording };
}

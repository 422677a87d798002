import { oneAtATime } from '../load/closed-loop.ts';
import { type Bin, binsOf, medianOf, type Percentiles, percentilesOf, round } from '../measure/percentiles.ts';
import { type ByProcess, perOrder, memoryOf, totalOf, type UsageSample } from '../measure/usage-recorder.ts';
import { startBaseline } from '../systems/baseline.ts';
import { startMillrace } from '../systems/millrace.ts';
import { type System, type SystemName, systemNames } from '../systems/system.ts';
import { measuredLoop } from './measured-loop.ts';
import type { Bench } from './phase.ts';
import { customersOf, warmedUp } from './warmed-up.ts';

/** One system under all the load that it can take. */
export interface SaturationRun {
  readonly system: SystemName;
  readonly customers: number;
  readonly seconds: number;
  readonly ordersPerSecond: number;
  readonly perSecond: readonly number[];
  readonly loaded: { readonly percentiles: Percentiles; readonly bins: readonly Bin[] };
  /** One order at a time, with nothing else going on. */
  readonly idle: { readonly percentiles: Percentiles; readonly bins: readonly Bin[] };
  readonly cpuMsPerOrder: ByProcess;
  readonly cpuMsPerOrderTotal: number;
  readonly idleMemoryMiB: ByProcess;
  readonly peakMemoryMiB: ByProcess;
  readonly samples: readonly UsageSample[];
}

export interface Saturation {
  readonly runs: readonly SaturationRun[];
  readonly ordersPerSecond: Readonly<Record<SystemName, number>>;
  readonly cpuMsPerOrder: Readonly<Record<SystemName, number>>;
  /** How many times the orders per second of the baseline, and what part of its CPU time per order. */
  readonly timesAsFast: number;
  readonly timesLessCpu: number;
}

/** Closed loop: this shop and the baseline in turns, so that what changes on the machine changes for both. */
export async function saturation(bench: Bench): Promise<Saturation> {
  const { options, say } = bench;
  const runs: SaturationRun[] = [];
  for (let turn = 0; turn < options.rounds; turn++) {
    for (const name of turn % 2 === 0 ? systemNames : systemNames.toReversed()) {
      say(`Saturation, round ${turn + 1} of ${options.rounds}: ${name}`);
      const run = await bench.run(
        (system) => (name === 'millrace' ? startMillrace(system) : startBaseline(system)),
        (system) => saturate(bench, system),
      );
      say(`  ${run.ordersPerSecond} orders/s, ${run.cpuMsPerOrderTotal} ms of CPU per order`);
      runs.push(run);
    }
  }
  const of = (value: (run: SaturationRun) => number): Record<SystemName, number> =>
    Object.fromEntries(
      systemNames.map((name) => [name, round(medianOf(runs.filter(({ system }) => system === name).map(value)))]),
    ) as Record<SystemName, number>;
  const ordersPerSecond = of((run) => run.ordersPerSecond);
  const cpuMsPerOrder = of((run) => run.cpuMsPerOrderTotal);
  return {
    runs,
    ordersPerSecond,
    cpuMsPerOrder,
    timesAsFast: round(ordersPerSecond.millrace / ordersPerSecond.baseline),
    timesLessCpu: round(cpuMsPerOrder.baseline / cpuMsPerOrder.millrace),
  };
}

async function saturate(bench: Bench, system: System): Promise<SaturationRun> {
  const { options, say, stop } = bench;
  const customers = customersOf(bench, system);
  const idleMemoryMiB = memoryOf(system);
  return warmedUp(bench, system, async (placer, observer) => {
    say(`  one order at a time for ${options.idleSeconds} s …`);
    const idle = await oneAtATime(placer, observer, options.idleSeconds, stop);
    const { loop, recording } = await measuredLoop(bench, system, placer, observer);
    const { cpuMs, peakMemoryMiB, samples } = recording;
    const cpuMsPerOrder = perOrder(cpuMs, loop.completed);
    return {
      system: system.name,
      customers,
      seconds: round(loop.seconds),
      ordersPerSecond: round(loop.completed / loop.seconds),
      perSecond: loop.perSecond,
      loaded: { percentiles: percentilesOf(loop.confirmedMs), bins: binsOf(loop.confirmedMs) },
      idle: { percentiles: percentilesOf(idle), bins: binsOf(idle) },
      cpuMsPerOrder,
      cpuMsPerOrderTotal: totalOf(cpuMsPerOrder),
      idleMemoryMiB,
      peakMemoryMiB,
      samples,
    };
  });
}

import type { System } from '../systems/system.ts';
import { round } from './percentiles.ts';
import { ownUsage, type Usage, usageOf } from './process-usage.ts';

/** Of each process, by name; replicas of a service are added up. */
export type ByProcess = Readonly<Record<string, number>>;

/** One look at the processes of a system. */
export interface UsageSample {
  /** Since the recording began. */
  readonly atSeconds: number;
  /** Milliseconds of CPU time per second, since the look before. */
  readonly cpu: ByProcess;
  readonly memoryMiB: ByProcess;
}

export interface Recording {
  readonly cpuMs: ByProcess;
  readonly peakMemoryMiB: ByProcess;
  readonly samples: readonly UsageSample[];
}

/** What places the orders, watches them, and takes the mails: this process. */
const LOAD_GENERATOR = 'load generator';

// A look costs a few milliseconds, most of them for adding up PostgreSQL's sessions.
const LOOK_EVERY_MS = 1000;

/** What each process of a system has used up to now. */
function usagesOf(system: System): ReadonlyMap<string, Usage> {
  const usages = new Map<string, Usage>([[LOAD_GENERATOR, ownUsage()]]);
  for (const { name, pid } of system.processes()) {
    const { cpuMs, memoryMiB } = usageOf(pid) ?? { cpuMs: Number.NaN, memoryMiB: Number.NaN };
    const before = usages.get(name);
    usages.set(name, {
      cpuMs: cpuMs + (before?.cpuMs ?? 0),
      memoryMiB: memoryMiB + (before?.memoryMiB ?? 0),
    });
  }
  return usages;
}

export function memoryOf(system: System): ByProcess {
  return mapped(usagesOf(system), ({ memoryMiB }) => Math.round(memoryMiB));
}

/** Looks at the processes of a system every second, until it is stopped. No process of it may be exchanged meanwhile. */
export function recordUsage(system: System): () => Recording {
  const begin = usagesOf(system);
  const startedAt = performance.now();
  const samples: UsageSample[] = [];
  const peaks = new Map<string, number>();
  let last = { usages: begin, at: startedAt };

  const look = (): void => {
    const [usages, at] = [usagesOf(system), performance.now()];
    const seconds = (at - last.at) / 1000;
    for (const [name, { memoryMiB }] of usages) peaks.set(name, Math.max(peaks.get(name) ?? 0, memoryMiB));
    samples.push({
      atSeconds: round((at - startedAt) / 1000),
      cpu: mapped(usages, ({ cpuMs }, name) => Math.round((cpuMs - (last.usages.get(name)?.cpuMs ?? 0)) / seconds)),
      memoryMiB: mapped(usages, ({ memoryMiB }) => Math.round(memoryMiB)),
    });
    last = { usages, at };
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return () => {
    clearInterval(timer);
    look();
    return {
      cpuMs: mapped(last.usages, ({ cpuMs }, name) => cpuMs - (begin.get(name)?.cpuMs ?? 0)),
      peakMemoryMiB: Object.fromEntries([...peaks].map(([name, mib]) => [name, Math.round(mib)])),
      samples,
    };
  };
}

/** All but the load generator, which is no part of what is measured. */
export function totalOf(values: ByProcess): number {
  return round(Object.entries(values).reduce((sum, [name, value]) => (name === LOAD_GENERATOR ? sum : sum + value), 0));
}

/** @throws {Error} no order was completed: the figures would be infinite. */
export function perOrder(values: ByProcess, orders: number): ByProcess {
  if (orders === 0)
    throw new Error('no order was completed while it was measured: measure for longer, or on a quieter machine');
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round(value / orders)]));
}

function mapped(usages: ReadonlyMap<string, Usage>, value: (usage: Usage, name: string) => number): ByProcess {
  return Object.fromEntries([...usages].map(([name, usage]) => [name, value(usage, name)]));
}

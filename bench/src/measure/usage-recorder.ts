import type { System } from '../systems/system.ts';
import { round } from './percentiles.ts';
import { Processes } from './process-usage.ts';

/** Of each process, by name; replicas of a service are added up. */
export type ByProcess = Readonly<Record<string, number>>;

/** One look at the processes of a system. */
export interface UsageSample {
  /** Since the recording began. */
  readonly atSeconds: number;
  /** Milliseconds of CPU time per second, since the look before. */
  readonly cpu: ByProcess;
}

export interface Recording {
  readonly cpuMs: ByProcess;
  readonly peakMemoryMiB: ByProcess;
  readonly samples: readonly UsageSample[];
}

/** What places the orders, watches them, and takes the mails: this process. */
const LOAD_GENERATOR = 'load generator';

const LOOK_EVERY_MS = 1000;

// Adding up the pages of PostgreSQL's sessions takes longer than all other looks together.
const LOOKS_WITHOUT_MEMORY = 5;

/** What the load generator used and, of each process of the system, what `of` says. */
function usages(system: System, own: number, of: (processes: Processes, pid: number) => number): ByProcess {
  const found: Record<string, number> = { [LOAD_GENERATOR]: own };
  const processes = Processes.look();
  for (const { name, pid } of system.processes()) {
    found[name] = (found[name] ?? 0) + (processes === undefined ? Number.NaN : of(processes, pid));
  }
  return found;
}

function cpuMsOf(system: System): ByProcess {
  // Of this process alone: what it measures are its children, and counted by themselves.
  const { user, system: kernel } = process.cpuUsage();
  return usages(system, (user + kernel) / 1000, (processes, pid) => processes.cpuMsOf(pid));
}

/** Memory that each process holds now, in MiB. */
export function memoryOf(system: System): ByProcess {
  const found = usages(system, process.memoryUsage.rss() / 2 ** 20, (processes, pid) => processes.memoryMiBOf(pid));
  return mapped(found, Math.round);
}

/** Looks at the processes of a system every second, until it is stopped. No process of it may be exchanged meanwhile. */
export function recordUsage(system: System): () => Recording {
  const begin = cpuMsOf(system);
  const startedAt = performance.now();
  const samples: UsageSample[] = [];
  const peaks: Record<string, number> = {};
  let last = { cpuMs: begin, at: startedAt };

  const lookAtMemory = (): void => {
    for (const [name, mib] of Object.entries(memoryOf(system))) peaks[name] = Math.max(peaks[name] ?? 0, mib);
  };
  const look = (): void => {
    const [cpuMs, at] = [cpuMsOf(system), performance.now()];
    const seconds = (at - last.at) / 1000;
    samples.push({
      atSeconds: round((at - startedAt) / 1000),
      cpu: mapped(cpuMs, (sum, name) => Math.round((sum - (last.cpuMs[name] ?? 0)) / seconds)),
    });
    last = { cpuMs, at };
    if (samples.length % LOOKS_WITHOUT_MEMORY === 0) lookAtMemory();
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return () => {
    clearInterval(timer);
    look();
    lookAtMemory();
    return {
      cpuMs: mapped(last.cpuMs, (sum, name) => sum - (begin[name] ?? 0)),
      peakMemoryMiB: peaks,
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

function mapped(values: ByProcess, value: (before: number, name: string) => number): ByProcess {
  return Object.fromEntries(Object.entries(values).map(([name, before]) => [name, value(before, name)]));
}

import { round } from '../measure/percentiles.ts';
import { type CpuProfile, type Frame, GARBAGE_COLLECTOR, type Owner } from './cpu-profile.ts';

/** Time that something itself took, without what it called. */
export interface Share {
  readonly name: string;
  readonly selfMs: number;
  /** Of the time at work. */
  readonly percent: number;
}

export interface ProfileSummary {
  readonly seconds: number;
  /** At work, of the time that was profiled: 100 is one core. */
  readonly busyPercent: number;
  /** Garbage collection on the main thread, of the time at work. What V8's helper threads do comes on top and is not seen. */
  readonly garbagePercent: number;
  /** Packages, Node's modules, V8, and this repository package by package. */
  readonly packages: readonly Share[];
  readonly ownModules: readonly Share[];
  readonly functions: readonly Share[];
}

const TOP = 10;

export function summarized({ startTime, endTime }: CpuProfile, root: Frame): ProfileSummary {
  const frames = allOf(root);
  const ms = (endTime - startTime) / 1000;
  const shares = (of: (frame: Frame) => string | undefined): Share[] => {
    const sums = new Map<string, number>();
    for (const frame of frames) {
      const name = of(frame);
      if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + frame.selfMs);
    }
    return [...sums]
      .map(([name, selfMs]) => ({ name, selfMs: round(selfMs), percent: percent(selfMs, root.totalMs) }))
      .toSorted((one, other) => other.selfMs - one.selfMs);
  };
  const packages = shares(({ owner }) => packageOf(owner));
  return {
    seconds: round(ms / 1000),
    busyPercent: percent(root.totalMs, ms),
    garbagePercent: packages.find(({ name }) => name === GARBAGE_COLLECTOR)?.percent ?? 0,
    packages: packages.slice(0, TOP),
    ownModules: shares(({ owner }) => (owner.kind === 'own' ? owner.module : undefined)).slice(0, TOP),
    functions: shares(functionOf).slice(0, TOP),
  };
}

/** As lines for a terminal. */
export function summaryText(service: string, summary: ProfileSummary): string {
  const { seconds, busyPercent, garbagePercent, packages, ownModules, functions } = summary;
  const part = (title: string, shares: readonly Share[]): string[] => [
    `  ${title}`,
    ...shares.map(({ name, selfMs, percent: of }) => {
      return `  ${selfMs.toFixed(0).padStart(8)} ms ${of.toFixed(1).padStart(5)} %  ${name}`;
    }),
  ];
  return [
    `${service}: at work for ${busyPercent} % of ${seconds} s, ${garbagePercent} % of it garbage collection`,
    ...part('by package', packages),
    ...part('by own module', ownModules),
    ...part('by function', functions),
  ].join('\n');
}

function functionOf({ name, owner, line }: Frame): string {
  if (owner.kind === 'engine') return owner.module === '(native)' ? `${name} (native)` : name;
  // The line is that of the compiled file, which is not the line of the source.
  return owner.kind === 'own' ? `${name}  ${owner.module}` : `${name}  ${owner.module}:${line}`;
}

/** Two folders deep is a package of this repository: `libs/messaging`. */
function packageOf({ kind, module }: Owner): string {
  if (kind === 'own') return module.split('/').slice(0, 2).join('/');
  return kind === 'node' ? 'node' : module;
}

function allOf(root: Frame): Frame[] {
  const all = [root];
  for (const frame of all) all.push(...frame.calls);
  return all;
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : round((100 * part) / whole);
}

import { readdirSync, readFileSync } from 'node:fs';

/** What a process and its children have used so far. */
export interface Usage {
  readonly cpuMs: number;
  /** Proportional set size: memory that processes share counts once, in parts. */
  readonly memoryMiB: number;
}

// Linux counts CPU time in ticks of 10 ms on every platform that Node runs on.
const TICK_MS = 10;

/** Usage of a process tree. Linux only: other systems have no /proc, and answer undefined. */
export function usageOf(pid: number): Usage | undefined {
  if (process.platform !== 'linux') return undefined;
  const usages = treeOf(pid).map(usageOfOne);
  return {
    cpuMs: usages.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    memoryMiB: usages.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0),
  };
}

/** Of this process alone: what it measures are its children, and counted by themselves. */
export function ownUsage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, memoryMiB: process.memoryUsage.rss() / 2 ** 20 };
}

function usageOfOne(pid: number): Usage {
  try {
    // Its own, and those of its children that have ended: a database session takes its time with it otherwise.
    const ticks = statOf(pid)
      .slice(11, 15)
      .reduce((sum, each) => sum + Number(each), 0);
    const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return { cpuMs: ticks * TICK_MS, memoryMiB: Number(pss ?? 0) / 1024 };
  } catch {
    // It ended between two looks.
    return { cpuMs: 0, memoryMiB: 0 };
  }
}

/** The fields of /proc/<pid>/stat after the command's name, which may itself hold blanks and brackets. */
function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function treeOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      const parent = Number(statOf(pid)[1]);
      children.set(parent, [...(children.get(parent) ?? []), pid]);
    } catch {
      // It ended between two looks.
    }
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

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
  const usages = treeOf(pid).map(ownUsage);
  return {
    cpuMs: usages.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    memoryMiB: usages.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0),
  };
}

function ownUsage(pid: number): Usage {
  try {
    const [userTicks, systemTicks] = statOf(pid).slice(11, 13);
    const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return { cpuMs: (Number(userTicks) + Number(systemTicks)) * TICK_MS, memoryMiB: Number(pss ?? 0) / 1024 };
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

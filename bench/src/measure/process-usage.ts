import { readdirSync, readFileSync } from 'node:fs';

// Linux counts CPU time in ticks of 10 ms on every platform that Node runs on.
const TICK_MS = 10;

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Its own, and that of its children that have ended: a database session takes its time with it otherwise. */
  readonly cpuMs: number;
}

/** All processes of this machine at one moment. Linux only: other systems have no /proc, and `look` answers undefined. */
export class Processes {
  readonly #children = new Map<number, Process[]>();
  readonly #byPid = new Map<number, Process>();

  private constructor(found: readonly Process[]) {
    for (const each of found) {
      this.#byPid.set(each.pid, each);
      const siblings = this.#children.get(each.parent);
      if (siblings) siblings.push(each);
      else this.#children.set(each.parent, [each]);
    }
  }

  static look(): Processes | undefined {
    if (process.platform !== 'linux') return undefined;
    const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
    return new Processes(pids.flatMap((pid) => processOf(pid) ?? []));
  }

  /** CPU time that a process and all below it have used so far, in milliseconds. */
  cpuMsOf(root: number): number {
    return this.#treeOf(root).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  }

  /**
   * Proportional set size of a process and all below it now: memory that processes share counts once, in parts. The kernel walks all
   * their pages for it, which takes longer than all else here.
   */
  memoryMiBOf(root: number): number {
    return this.#treeOf(root).reduce((sum, { pid }) => sum + memoryMiBOf(pid), 0);
  }

  #treeOf(root: number): readonly Process[] {
    const first = this.#byPid.get(root);
    const tree = first === undefined ? [] : [first];
    for (const { pid } of tree) tree.push(...(this.#children.get(pid) ?? []));
    return tree;
  }
}

function processOf(pid: number): Process | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The fields after the command's name, which may itself hold blanks and brackets.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0);
    return { pid, parent: Number(fields[1]), cpuMs: ticks * TICK_MS };
  } catch {
    // It ended between two looks.
    return undefined;
  }
}

function memoryMiBOf(pid: number): number {
  try {
    const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return Number(pss ?? 0) / 1024;
  } catch {
    return 0;
  }
}

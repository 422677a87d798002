/** A function in V8's CPU profile, at one place in the tree of calls. */
export interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    /** Counted from 0. */
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

/** What V8 writes into a `.cpuprofile`. Times are in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly endTime: number;
  /** The node that was found running, sample by sample. */
  readonly samples: readonly number[];
  /** How long before each sample the one before it was taken. */
  readonly timeDeltas: readonly number[];
}

/** Who a function belongs to: a file of this repository, a package, Node, or V8 itself. */
export interface Owner {
  readonly kind: 'own' | 'package' | 'node' | 'engine';
  /** The file without its ending, as `libs/messaging/src/outbox/relay`; the name of the package; `node:net`; `(garbage collector)`. */
  readonly module: string;
}

/** Calls with the same path, folded into one. Times in milliseconds. */
export interface Frame {
  readonly name: string;
  readonly owner: Owner;
  /** 1 for the first; 0 where V8 knows none. */
  readonly line: number;
  readonly selfMs: number;
  /** With everything that it called. */
  readonly totalMs: number;
  /** The costliest first. */
  readonly calls: readonly Frame[];
}

const IDLE = '(idle)';
export const GARBAGE_COLLECTOR = '(garbage collector)';

/**
 * Folds a profile into a tree: what was called on the same path counts together, however often. Time in which the process had nothing
 * to do is left out, so that the root's total is its time at work.
 */
export function folded(profile: CpuProfile, root: string): Frame {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const self = selfMsOf(profile);
  const frameOf = (siblings: readonly ProfileNode[]): Frame => {
    const [{ callFrame } = { callFrame: { functionName: '', url: '', lineNumber: -1 } }] = siblings;
    const called = siblings.flatMap(({ children = [] }) => children.flatMap((id) => nodes.get(id) ?? []));
    const calls = [...Map.groupBy(called, identityOf).values()]
      .map(frameOf)
      .filter(({ name, totalMs }) => totalMs > 0 && name !== IDLE)
      .toSorted((one, other) => other.totalMs - one.totalMs);
    const selfMs = siblings.reduce((sum, { id }) => sum + (self.get(id) ?? 0), 0);
    return {
      name: callFrame.functionName || '(anonymous)',
      owner: ownerOf(callFrame.functionName, callFrame.url, root),
      line: callFrame.lineNumber + 1,
      selfMs,
      totalMs: calls.reduce((sum, { totalMs }) => sum + totalMs, selfMs),
      calls,
    };
  };
  return frameOf(profile.nodes.slice(0, 1));
}

/** A sample stands for the time until the next one. */
function selfMsOf({ samples, timeDeltas, startTime, endTime }: CpuProfile): ReadonlyMap<number, number> {
  const self = new Map<number, number>();
  let at = startTime;
  for (const [index, id] of samples.entries()) {
    at += timeDeltas[index] ?? 0;
    const us = timeDeltas[index + 1] ?? endTime - at;
    self.set(id, (self.get(id) ?? 0) + Math.max(0, us) / 1000);
  }
  return self;
}

function identityOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  return `${functionName} ${url}:${lineNumber}`;
}

function ownerOf(name: string, url: string, root: string): Owner {
  if (url === '') return { kind: 'engine', module: name.startsWith('(') ? name : '(native)' };
  if (url.startsWith('node:')) return { kind: 'node', module: url };
  const path = decodeURI(url).replace(/^file:\/\//, '');
  const inside = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
  if (inside !== undefined) return { kind: 'package', module: inside };
  const own = path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
  return { kind: 'own', module: own.replace('/dist/', '/src/').replace(/\.[cm]?[jt]s$/, '') };
}

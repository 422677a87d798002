import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { round } from './percentiles.ts';

/** Where and when something was measured. */
export interface Circumstances {
  /** ISO 8601, UTC: when it began. */
  readonly date: string;
  readonly commit: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** How many processes wanted a core in the minute before it began: somebody else's, or those of the phase before. */
  readonly loadBefore: number;
  /** Shorter than the figures deserve: made to see that the benchmark works. */
  readonly isQuick: boolean;
}

export function circumstances(isQuick: boolean): Circumstances {
  const [cpu] = cpus();
  return {
    date: new Date().toISOString(),
    commit: commit(),
    cores: cpus().length,
    cpu: cpu?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    loadBefore: round(loadavg()[0] ?? Number.NaN),
    isQuick,
  };
}

function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
    return git('rev-parse', '--short', 'HEAD');
  } catch {
    return 'unknown';
  }
}

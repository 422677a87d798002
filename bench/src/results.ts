import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Circumstances } from './measure/machine.ts';
import type { Findings } from './phases/index.ts';
import type { PhaseName } from './phases/names.ts';

/** What a phase found out, and where and when. A phase whose books did not add up has no result. */
export interface Measured<T> {
  readonly circumstances: Circumstances;
  readonly found: T;
}

/** One result per phase; those that were not measured are missing. */
export type Results = { readonly [Name in PhaseName]?: Measured<Findings[Name]> };

/** What docs/performance.md tells of. */
export const publishedResults = join(import.meta.dirname, '..', 'results', 'latest.json');

/** Empty when there is no such file. */
export function readResults(file: string): Results {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : {};
}

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the last full run found. */
export interface Results {
  /** When it ended, RFC 3339. */
  readonly at: string;
  readonly cores: number;
  /** Scenario → brokers → outcome. */
  readonly scenarios: Readonly<Record<string, Readonly<Record<string, { holds: boolean; seconds: number }>>>>;
  /** Planted bug → whether its scenario noticed, and what it said. */
  readonly bugs: Readonly<Record<string, { caught: boolean; seconds: number; said: string }>>;
}

const resultsFile = join(import.meta.dirname, 'results.json');

/** The results in the repository; undefined before the first run. */
export function readResults(file = resultsFile): Results | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : undefined;
}

export function writeResults(results: Results, file = resultsFile): void {
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
}

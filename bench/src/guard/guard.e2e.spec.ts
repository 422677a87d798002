import { afterAll, expect, it } from '@jest/globals';
import { temporaryFolder } from '@millrace/embedded';
import { budgets } from './budgets.ts';
import { figuresOf } from './figures.ts';
import { guardedRun } from './guarded-run.ts';
import type { SqlWork } from './statements.ts';
import { verdictOf } from './verdict.ts';

// Enough that a statement for each message cannot pass for one for each batch.
const ORDERS = { alone: 10, waiting: 400 };
const WITHIN_MS = 300_000;

const folder = temporaryFolder('millrace-guard');
afterAll(() => folder.remove());

it(
  'takes no more statements, requests, bytes and rows for an order than it may',
  async () => {
    const run = await guardedRun(folder.path, ORDERS);
    const { table, failures } = verdictOf(budgets, figuresOf(run));
    process.stdout.write(`What ${ORDERS.waiting} orders that waited took, and what is left of them:\n${table}\n`);
    const told = failures.length === 0 ? '' : `${failures.join('\n')}\n\n${mostFrequent(run.backlog.work)}`;
    expect(told).toBe('');
  },
  WITHIN_MS,
);

/** Where to begin to look. */
function mostFrequent(work: Readonly<Record<string, SqlWork>>): string {
  const ofEach = Object.entries(work).map(([database, { texts }]) => {
    const lines = texts.slice(0, 8).map(({ calls, text }) => `${String(calls).padStart(8)}  ${text.slice(0, 100)}`);
    return `${database}, most frequent statements of the backlog:\n${lines.join('\n')}`;
  });
  return ofEach.join('\n');
}

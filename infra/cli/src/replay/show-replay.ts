import { type Comparison, type Difference, differencesOf, type ReplayStatus } from '@millrace/messaging/replay';
import { durationOf } from '../arguments.ts';
import type { Output } from '../output/output.ts';
import { plain } from '../output/table.ts';

/** How far a replay is, in one line: `12,345 of 40,000 messages (31%), 5,230/s, 5s left`. */
export function progressOf(status: ReplayStatus): string {
  const { projection, state, passed, total, perSecond, problem, wish } = status;
  const trouble = problem === undefined ? '' : ` – ${plain(problem)}`;
  if (state === 'asked') return `${projection}: waits for a replica of the service${trouble}`;
  const counts = `${projection}: ${number(passed)} of ${number(total)} messages (${percentOf(status)}%)`;
  if (state === 'reading') {
    const left = perSecond > 0 ? `${durationOf((total - passed) / perSecond)} left` : 'time left unknown';
    return `${counts}, ${number(Math.round(perSecond))}/s, ${left}${trouble}`;
  }
  const doing =
    state === 'caught-up' && (wish === 'compare' || wish === 'swap')
      ? `, ${wish === 'swap' ? 'swapping' : 'comparing'}`
      : '';
  return `${counts}, ${state}${doing}${trouble}`;
}

export function percentOf({ passed, total }: ReplayStatus): number {
  return total === 0 ? 100 : Math.floor((passed * 100) / total);
}

/** What a script gets. */
export function documentOf(status: ReplayStatus): object {
  const { comparison } = status;
  return {
    ...status,
    percent: percentOf(status),
    differences: comparison === undefined ? null : differencesOf(comparison),
  };
}

export function showStatus(out: Output, status: ReplayStatus): void {
  out.line(progressOf(status));
  const from = status.from === undefined ? 'the first record' : status.from.toISOString();
  out.line(`  from ${from}, asked for by ${plain(status.askedBy)} at ${status.askedAt.toISOString()}`);
  out.line(
    `  ${number(status.applied)} applied, ${number(status.duplicates)} repeated, ${number(status.leftOut)} left out`,
  );
  if (status.endedAt !== undefined) out.line(`  ended at ${status.endedAt.toISOString()}`);
  showCompleteness(out, status);
}

export function showCompleteness(out: Output, { losses, notes }: ReplayStatus): void {
  for (const loss of losses) out.line(`  ${out.color.red('missing')}  ${plain(loss)}`);
  for (const note of notes) out.line(`  ${out.color.dim('note')}     ${plain(note)}`);
}

/** The differences between live and shadow, table by table, each with a few rows. */
export function showComparison(out: Output, comparison: Comparison): void {
  out.table(
    [
      { title: 'TABLE' },
      { title: 'LIVE', isNumber: true },
      { title: 'SHADOW', isNumber: true },
      { title: 'ONLY LIVE', isNumber: true },
      { title: 'ONLY SHADOW', isNumber: true },
      { title: 'DIFFERENT', isNumber: true },
    ],
    comparison.tables.map(({ table, live, shadow, onlyLive, onlyShadow, different }) => [
      table,
      ...[live, shadow, onlyLive, onlyShadow, different].map(number),
    ]),
  );
  for (const { table, examples } of comparison.tables) {
    if (examples.length === 0) continue;
    out.line();
    out.line(`${out.color.bold(table)}, for example:`);
    for (const example of examples) for (const line of linesOf(example)) out.line(`  ${line}`);
  }
}

function linesOf({ live, shadow }: Difference): readonly string[] {
  if (live === null) return [`only in the shadow: ${plain(shadow ?? '')}`];
  if (shadow === null) return [`only in the live: ${plain(live)}`];
  return [`live:   ${plain(live)}`, `shadow: ${plain(shadow)}`];
}

function number(value: number): string {
  return value.toLocaleString('en');
}

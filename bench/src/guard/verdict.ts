import type { Budget } from './budgets.ts';

/** Figures beside their limits, and a sentence for each that does not hold. */
export interface Verdict {
  readonly table: string;
  readonly failures: readonly string[];
}

const HOLDS: Readonly<Record<Budget['bound'], (value: number, limit: number) => boolean>> = {
  most: (value, limit) => value <= limit,
  least: (value, limit) => value >= limit,
  exactly: (value, limit) => value === limit,
};

const SAID: Readonly<Record<Budget['bound'], string>> = { most: 'at most', least: 'at least', exactly: 'exactly' };

/**
 * Compares figures with budgets. What was counted and has no limit fails as well as a limit for which nothing was counted: a guard must
 * not grow blind.
 */
export function verdictOf<Name extends string>(
  budgets: Readonly<Record<Name, Budget>>,
  figures: Readonly<Record<Name, Readonly<Record<string, number>>>>,
): Verdict {
  const rows: string[][] = [];
  const failures: string[] = [];
  for (const [name, budget] of Object.entries<Budget>(budgets)) {
    const { figure, bound, limits, meaning, lookAt } = budget;
    const values = figures[name as Name];
    for (const subject of new Set([...Object.keys(limits), ...Object.keys(values)])) {
      const [value, limit] = [values[subject], limits[subject]];
      // Not a number: nothing happened of that by which it is divided.
      const holds = value !== undefined && limit !== undefined && HOLDS[bound](value, limit);
      rows.push([figure, subject, String(value ?? '–'), `${SAID[bound]} ${limit ?? '?'}`, holds ? '' : '✘']);
      if (holds) continue;
      if (limit === undefined) failures.push(`${figure}, ${subject}: ${value}, and there is no budget for it.`);
      else if (value === undefined) failures.push(`${figure}, ${subject}: nothing was counted.`);
      else
        failures.push(
          `${figure}, ${subject}: ${value}, and the budget is ${SAID[bound]} ${limit}.\n  ${meaning}\n  Look at ${lookAt}.`,
        );
    }
  }
  return { table: aligned(rows), failures };
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

import type { Transaction } from '@millrace/database';
import { quoted } from './quoted.ts';
import type { LiveTable, Shadow } from './shadow-schema.ts';

/** A row that is not the same in both; null where it is missing. Cut off where it is long. */
export interface Difference {
  readonly live: string | null;
  readonly shadow: string | null;
}

export interface TableComparison {
  readonly table: string;
  /** Rows. */
  readonly live: number;
  readonly shadow: number;
  readonly onlyLive: number;
  readonly onlyShadow: number;
  readonly different: number;
  /** The first few, in the order of the primary key. */
  readonly examples: readonly Difference[];
}

/** Live and shadow at the same positions. */
export interface Comparison {
  /** ISO 8601. */
  readonly at: string;
  readonly tables: readonly TableComparison[];
}

/** Enough to recognise a kind of fault; whoever wants all of them can ask PostgreSQL, the shadow is still there. */
const MAX_EXAMPLES = 5;
const MAX_EXAMPLE_LENGTH = 500;

export function differencesOf({ tables }: Comparison): number {
  return tables.reduce((sum, { onlyLive, onlyShadow, different }) => sum + onlyLive + onlyShadow + different, 0);
}

/** Compares row by row, all columns, in the one snapshot of a repeatable-read transaction. */
export async function compareTables(
  tx: Transaction,
  shadow: Shadow,
  tables: readonly LiveTable[],
): Promise<Comparison> {
  const compared: TableComparison[] = [];
  for (const table of tables) compared.push(await compareTable(tx, shadow, table));
  return { at: new Date().toISOString(), tables: compared };
}

async function compareTable(tx: Transaction, shadow: Shadow, table: LiveTable): Promise<TableComparison> {
  const joined = `${quoted(table.schema, table.name)} AS live
    FULL JOIN ${quoted(shadow.schema, table.name)} AS shadow
      ON ${table.key.map((column) => `live.${quoted(column)} = shadow.${quoted(column)}`).join(' AND ')}`;
  // Not NULL as a whole where the row exists: the columns of a primary key hold values.
  const counts = await tx.query<Omit<TableComparison, 'table' | 'examples'>>(
    `SELECT count(*) FILTER (WHERE NOT live IS NULL)::float8 AS live,
            count(*) FILTER (WHERE NOT shadow IS NULL)::float8 AS shadow,
            count(*) FILTER (WHERE shadow IS NULL)::float8 AS "onlyLive",
            count(*) FILTER (WHERE live IS NULL)::float8 AS "onlyShadow",
            count(*) FILTER (WHERE NOT live IS NULL AND NOT shadow IS NULL
                               AND to_jsonb(live) IS DISTINCT FROM to_jsonb(shadow))::float8 AS different
       FROM ${joined}`,
  );
  const [count = { live: 0, shadow: 0, onlyLive: 0, onlyShadow: 0, different: 0 }] = counts.rows;
  if (count.onlyLive + count.onlyShadow + count.different === 0) return { table: table.name, ...count, examples: [] };
  const { rows } = await tx.query<Difference>(
    `SELECT left(to_jsonb(live)::text, $1) AS live, left(to_jsonb(shadow)::text, $1) AS shadow FROM ${joined}
      WHERE to_jsonb(live) IS DISTINCT FROM to_jsonb(shadow)
      ORDER BY ${table.key.map((column) => `coalesce(live.${quoted(column)}, shadow.${quoted(column)})`).join(', ')}
      LIMIT $2`,
    [MAX_EXAMPLE_LENGTH, MAX_EXAMPLES],
  );
  return { table: table.name, ...count, examples: rows };
}

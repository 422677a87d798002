import type { Tables } from './copying.ts';

interface TableRow {
  readonly table: string;
  readonly columns: string[];
}

// All but what belongs to PostgreSQL itself and to single sessions.
const TABLES = `
  SELECT CASE WHEN schema.nspname = 'public' THEN '' ELSE schema.nspname || '.' END || class.relname AS table,
         array_agg(attname::text ORDER BY attnum) AS columns
    FROM pg_class AS class
    JOIN pg_namespace AS schema ON schema.oid = class.relnamespace
    JOIN pg_attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped AND attidentity = ''
   WHERE class.relkind IN ('r', 'p') AND schema.nspname <> 'information_schema' AND schema.nspname !~ '^pg_'
   GROUP BY 1`;

/** The rows of tables, as JSON. */
export type Remembered = Readonly<Record<string, string>>;

/** The tables of a database, each with the columns that the database does not number itself. */
export async function readTables(query: (sql: string) => Promise<TableRow[]>): Promise<Tables> {
  return new Map((await query(TABLES)).map(({ table, columns }) => [table, columns]));
}

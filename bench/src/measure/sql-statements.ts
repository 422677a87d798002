import { join } from 'node:path';
import { startPostgres } from '@millrace/embedded';
import { asked } from './asked.ts';

/** What the database server did, in numbers that only grow. */
export interface SqlCounts {
  /** Statements of clients; BEGIN and COMMIT are statements too. */
  readonly statements: number;
  readonly transactions: number;
  readonly walBytes: number;
}

/** Lets the PostgreSQL whose data will be in this folder count statements from its next start on. Counting costs it a few per cent. */
export async function countStatementsIn(dir: string): Promise<void> {
  const server = await startPostgres({ dir: join(dir, 'postgres') });
  try {
    // Kept in the data folder, so it is there when a system starts its server over it.
    await asked(server.superuserUrl, `ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'`);
  } finally {
    await server.stop();
  }
}

/** Needs a server that was told to count. */
export async function sqlCounts(superuserUrl: string): Promise<SqlCounts> {
  await asked(superuserUrl, 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  const [row] = await asked<SqlCounts>(
    superuserUrl,
    `SELECT (SELECT sum(calls)::float8 FROM pg_stat_statements) AS statements,
            (SELECT sum(xact_commit + xact_rollback)::float8 FROM pg_stat_database) AS transactions,
            (SELECT wal_bytes::float8 FROM pg_stat_wal) AS "walBytes"`,
  );
  return row ?? { statements: 0, transactions: 0, walBytes: 0 };
}

/** A statement, as PostgreSQL tells it apart from others, and what it took since the last `forgetStatements`. */
export interface StatementUse {
  readonly database: string;
  readonly text: string;
  readonly calls: number;
  readonly rows: number;
  readonly ms: number;
}

/** Every statement, the costliest first. Needs a server that was told to count. */
export function statementsOf(superuserUrl: string): Promise<StatementUse[]> {
  return asked<StatementUse>(
    superuserUrl,
    `SELECT datname AS database, regexp_replace(btrim(query), '\\s+', ' ', 'g') AS text,
            calls::float8 AS calls, rows::float8 AS rows, total_exec_time::float8 AS ms
       FROM pg_stat_statements AS s JOIN pg_database AS d ON d.oid = s.dbid ORDER BY total_exec_time DESC`,
  );
}

export async function forgetStatements(superuserUrl: string): Promise<void> {
  await asked(superuserUrl, 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  await asked(superuserUrl, 'SELECT pg_stat_statements_reset()');
}

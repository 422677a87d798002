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

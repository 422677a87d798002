import { randomUUID } from 'node:crypto';
import pg from 'pg';

export interface TestDatabase {
  /** Connects as a role that owns this database and nothing else, as in production. */
  readonly url: string;
  /** Connects to the same database as superuser, to look at and to disturb the sessions of others. */
  readonly superuserUrl: string;
  /** Drops database and role, and ends every session in it. */
  drop(): Promise<void>;
}

/** A new, empty database with a role of its own on the test run's server (`MILLRACE_TEST_POSTGRES_URL`). */
export async function createTestDatabase(): Promise<TestDatabase> {
  const serverUrl = process.env['MILLRACE_TEST_POSTGRES_URL'];
  if (!serverUrl) throw new Error('MILLRACE_TEST_POSTGRES_URL is not set: the test run starts PostgreSQL and sets it');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onServer(serverUrl, [
    `CREATE ROLE ${name} LOGIN PASSWORD '${name}'`,
    `CREATE DATABASE ${name} OWNER ${name}`,
    `REVOKE ALL ON DATABASE ${name} FROM PUBLIC`,
  ]);
  const superuserUrl = new URL(serverUrl);
  superuserUrl.pathname = `/${name}`;
  const url = new URL(superuserUrl);
  url.username = name;
  url.password = name;
  return {
    url: url.href,
    superuserUrl: superuserUrl.href,
    drop: () => onServer(serverUrl, [`DROP DATABASE ${name} WITH (FORCE)`, `DROP ROLE ${name}`]),
  };
}

async function onServer(url: string, statements: readonly string[]): Promise<void> {
  const session = new pg.Client({ connectionString: url });
  await session.connect();
  try {
    for (const statement of statements) await session.query(statement);
  } finally {
    await session.end();
  }
}

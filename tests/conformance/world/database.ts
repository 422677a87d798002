import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Database } from '@millrace/database';
import { migrateDeploy } from '@millrace/database/migrate';
import { messagingMigrations } from '@millrace/messaging/migrations';

const TEMPLATE = 'conformance_template';

const tables = join(import.meta.dirname, '../service/tables.sql');

// On a machine that does much else a session takes seconds to open, and a copy of the template waits for those before it.
const SESSION_WITHIN_MS = 60_000;

/** Makes the database that those of all scenarios are copied from: migrating takes a second, copying a tenth of one. */
export async function makeTemplate(postgresUrl: string, folder: string): Promise<void> {
  const server = sessionsOf(postgresUrl);
  await server.query(`CREATE DATABASE ${TEMPLATE}`);
  await server.close();
  const url = urlOf(postgresUrl, TEMPLATE);
  const schemaPath = join(folder, 'schema.prisma');
  writeFileSync(schemaPath, 'datasource db {\n  provider = "postgresql"\n}\n');
  await migrateDeploy({ url, schemaPath, migrationDirectories: [messagingMigrations] });
  const database = sessionsOf(url);
  await database.query(readFileSync(tables, 'utf8'));
  await database.close();
}

/** Copies the template and answers where the copy is. It goes with its server. */
export async function copyTemplate(postgresUrl: string): Promise<string> {
  const name = `conformance_${randomUUID().replaceAll('-', '')}`;
  const server = sessionsOf(postgresUrl);
  try {
    // One copy at a time: the template must have no other user meanwhile.
    const session = await server.connect();
    try {
      await session.query('SELECT pg_advisory_lock(1)');
      await session.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
    } finally {
      session.release(true);
    }
  } finally {
    await server.close();
  }
  return urlOf(postgresUrl, name);
}

/** Sessions of the suite's own. Whoever asked for them closes them. */
export function sessionsOf(url: string): Database {
  return new Database({
    url,
    applicationName: 'conformance',
    poolSize: 2,
    connectionTimeoutMs: SESSION_WITHIN_MS,
    statementTimeoutMs: SESSION_WITHIN_MS,
    lockTimeoutMs: SESSION_WITHIN_MS,
  });
}

function urlOf(postgresUrl: string, database: string): string {
  const url = new URL(postgresUrl);
  url.pathname = `/${database}`;
  return url.href;
}

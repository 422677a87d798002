import { Client, types as pgTypes, type CustomTypesConfig } from 'pg';
import type { ShopRecords } from '../running-shop.ts';
import type { DatabaseName } from '../services.ts';

const BIGINT_OID = 20;

// Amounts are counted in bigint, which pg would hand out as text.
const types: CustomTypesConfig = {
  getTypeParser: (oid: number) => (oid === BIGINT_OID ? BigInt : pgTypes.getTypeParser(oid)),
};

// Whoever asks about a shop must not wait for ever for a database that hangs, nor keep it busy for long.
const STATEMENT_WITHIN_MS = 30_000;
const CONNECTED_WITHIN_MS = 10_000;

// The server gives up first, and says why; a server that does not answer at all is given up a bit later.
const ANSWERED_AFTER_MS = 5_000;

/** The SQLSTATE with which PostgreSQL gives up a statement that takes too long. */
export const STATEMENT_GIVEN_UP = '57014';

/** Asks one database of a shop, on a connection of its own. Amounts of type bigint come as bigint. */
export async function rowsOf<Row extends object>(
  shop: Pick<ShopRecords, 'databases'>,
  database: DatabaseName,
  sql: string,
  parameters: readonly unknown[] = [],
  withinMs: number = STATEMENT_WITHIN_MS,
): Promise<Row[]> {
  const client = new Client({
    connectionString: shop.databases[database],
    types,
    connectionTimeoutMillis: CONNECTED_WITHIN_MS,
    statement_timeout: withinMs,
    query_timeout: withinMs + ANSWERED_AFTER_MS,
  });
  client.on('error', () => {}); // a connection that breaks makes the query fail
  await client.connect();
  try {
    return (await client.query<Row>(sql, [...parameters])).rows;
  } finally {
    await client.end();
  }
}

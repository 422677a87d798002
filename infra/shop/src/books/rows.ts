import { Client, types as pgTypes, type CustomTypesConfig } from 'pg';
import type { ShopRecords } from '../running-shop.ts';
import type { DatabaseName } from '../services.ts';

const BIGINT_OID = 20;

// Amounts are counted in bigint, which pg would hand out as text.
const types: CustomTypesConfig = {
  getTypeParser: (oid: number) => (oid === BIGINT_OID ? BigInt : pgTypes.getTypeParser(oid)),
};

// Whoever asks about a shop must not wait for ever for a database that hangs, nor keep it busy for long.
const LIMITS = { connectionTimeoutMillis: 10_000, statement_timeout: 30_000, query_timeout: 35_000 };

/** Asks one database of a shop, on a connection of its own. Amounts of type bigint come as bigint. */
export async function rowsOf<Row extends object>(
  shop: Pick<ShopRecords, 'databases'>,
  database: DatabaseName,
  sql: string,
  parameters: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: shop.databases[database], types, ...LIMITS });
  client.on('error', () => {}); // a connection that breaks makes the query fail
  await client.connect();
  try {
    return (await client.query<Row>(sql, [...parameters])).rows;
  } finally {
    await client.end();
  }
}

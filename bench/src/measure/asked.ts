import { Client, type QueryResultRow } from 'pg';

/** One statement on a connection of its own, which is gone when its rows are there. */
export async function asked<Row extends QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {}); // a connection that breaks makes the query fail
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

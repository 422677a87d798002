import { Client, type QueryResultRow } from 'pg';
import { type Copying, copyStatement, placedTable } from './copying.ts';
import { readTables, type Remembered } from './tables.ts';
import type { Placed } from './placed.ts';

// The first 48 bits of a UUIDv7 are its time in milliseconds (RFC 9562 §5.7); the rest of it is what makes it unique.
const EARLIER = `
  CREATE FUNCTION pg_temp.earlier(id uuid, ms bigint) RETURNS uuid STABLE LANGUAGE sql AS $$
    SELECT encode(
      substr((('\\x0000'::bytea || substr(uuid_send(id), 1, 6))::bigint - ms)::bytea, 3) || substr(uuid_send(id), 7), 'hex')::uuid
  $$;
  CREATE FUNCTION pg_temp.earlier(at timestamptz, ms bigint) RETURNS timestamptz STABLE LANGUAGE sql AS $$
    SELECT at - ms * interval '1 millisecond'
  $$;`;

/** A connection to one database on which its orders are copied. What it needs for that is temporary, and gone when it is closed. */
export class CopySession {
  readonly #client: Client;
  readonly #copying: Copying;

  constructor(url: string, copying: Copying) {
    this.#client = new Client({ connectionString: url });
    this.#client.on('error', () => {}); // a connection that breaks makes the statement fail
    this.#copying = copying;
  }

  async connect(): Promise<void> {
    await this.#client.connect();
  }

  async close(): Promise<void> {
    await this.#client.end();
  }

  async #rows<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#client.query<Row>(sql, [...values])).rows;
  }

  tables(): ReturnType<typeof readTables> {
    return readTables((sql) => this.#rows(sql));
  }

  /** How much was added up until now in tables that tell sums only. */
  async remember(): Promise<Remembered> {
    const remembered: Record<string, string> = {};
    for (const table of this.#copying.remembered) {
      const [row] = await this.#rows<{ rows: string }>(
        `SELECT coalesce(jsonb_agg(entry), '[]')::text AS rows FROM ${table} AS entry`,
      );
      remembered[table] = row?.rows ?? '[]';
    }
    return remembered;
  }

  /** Puts the rows of the orders that were placed aside, in the order in which they lie in their tables. */
  async putAside({ fromMs, untilMs }: Placed, remembered: Remembered): Promise<void> {
    await this.#rows('SET max_parallel_workers_per_gather = 0');
    await this.#rows('SET synchronize_seqscans = off');
    await this.#client.query(EARLIER);
    for (const [table, { placedBy }] of Object.entries(this.#copying.copied)) {
      await this.#rows(
        `CREATE TEMPORARY TABLE ${placedTable(table)} AS SELECT * FROM ${table}
          WHERE ${placedBy} >= '${firstIdOf(fromMs)}' AND ${placedBy} < '${firstIdOf(untilMs)}'`,
      );
    }
    for (const [table, rows] of Object.entries(remembered)) {
      await this.#rows(`CREATE TEMPORARY TABLE ${placedTable(table)} (LIKE ${table})`);
      await this.#rows(
        `INSERT INTO ${placedTable(table)} SELECT * FROM jsonb_populate_recordset(NULL::${table}, $1::jsonb)`,
        [rows],
      );
    }
  }

  /** One more copy of everything that was put aside, in one transaction. */
  async copy(earlierByMs: number): Promise<void> {
    const { copied, broughtAlong } = this.#copying;
    await this.#rows('BEGIN');
    for (const [table, how] of Object.entries(copied)) await this.#rows(copyStatement(table, how), [earlierByMs]);
    for (const sql of Object.values(broughtAlong)) await this.#rows(sql, sql.includes('$1') ? [earlierByMs] : []);
    await this.#rows('COMMIT');
  }

  /** What PostgreSQL had done by the way while as many orders were placed. */
  async tidy(): Promise<void> {
    for (const index of this.#copying.growAtTheirEnd) await this.#rows(`REINDEX INDEX ${index}`);
    await this.#rows('VACUUM (ANALYZE)');
  }
}

/** The smallest UUIDv7 of a millisecond. */
function firstIdOf(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

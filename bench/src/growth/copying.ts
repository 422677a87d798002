import type { DatabaseName } from '@millrace/shop';

/** What a column of a copied row holds, as SQL over the original row. `$1` is how much earlier the copy was placed, in milliseconds. */
export type Value = (column: string) => string;

/** How the rows that orders leave in one table become rows of older orders. */
export interface CopiedTable {
  /** The UUIDv7 that tells whether a row belongs to an order that was placed. */
  readonly placedBy: string;
  /** Every column of the table but those that the database numbers. */
  readonly columns: Readonly<Record<string, Value>>;
}

/** What becomes of every table of a database when its orders are copied. Tables of other schemas than `public` are named with theirs. */
export interface Copying {
  readonly copied: Readonly<Record<string, CopiedTable>>;
  /** Sums over all orders, and the statement that adds one copy to them. */
  readonly broughtAlong: Readonly<Record<string, string>>;
  /** Sums that cannot be told from other rows: kept when the orders were placed, read as `pg_temp.placed_…`. */
  readonly remembered: readonly string[];
  readonly doNotGrow: readonly string[];
  /**
   * Indexes whose pages are full where orders are placed, because entries come in order and stay. Copies come before what is there already
   * and would leave half of every page free, so these are built anew. Of the others copies leave about as much free as placed orders do.
   */
  readonly growAtTheirEnd: readonly string[];
}

export const same: Value = (column) => column;
/** Of a column of type uuid (version 7) or timestamptz. */
export const earlier: Value = (column) => `pg_temp.earlier(${column}, $1::bigint)`;
/** Of a UUIDv7 as text. */
export const earlierText: Value = (column) => `pg_temp.earlier(${column}::uuid, $1::bigint)::text`;
/** Of a UUIDv4 as text: drawn by lot, so its place in an index is anywhere. */
export const anotherKey: Value = (column) => `md5(${column} || $1::bigint::text)::uuid::text`;
/** As the in-process provider names charges. */
export const earlierCharge: Value = (column) =>
  `'ch_' || replace(pg_temp.earlier(substr(${column}, 4)::uuid, $1::bigint)::text, '-', '')`;
/** As the in-process carrier numbers parcels: digits of a digest. The same in every database. */
export const anotherParcel: Value = (column) => `'MP' || upper(left(md5(${column} || $1::bigint::text), 16))`;

export const inbox: CopiedTable = {
  placedBy: 'message_id',
  columns: { consumer_group: same, message_id: earlier },
};

/** What the messaging runtime has in the database of every service and does not keep per order. */
export const messagingTables = [
  'messaging.dead_letter_decision',
  'messaging.frozen_topic',
  'messaging.handler',
  'messaging.outbox',
  'messaging.parked_decision',
  'messaging.parked_key',
  'messaging.parked_message',
  'messaging.projection_position',
  'messaging.replay',
  'messaging.replay_left_out',
  'messaging.replay_position',
  'messaging.replay_swapped',
  '_prisma_migrations',
] as const;

/** Where a session keeps what was placed. */
export function placedTable(table: string): string {
  return `pg_temp.placed_${table.replace('messaging.', '')}`;
}

export function copyStatement(table: string, { columns }: CopiedTable): string {
  const values = Object.entries(columns).map(([column, value]) => value(column));
  return `INSERT INTO ${table} (${Object.keys(columns).join(', ')}) SELECT ${values.join(', ')} FROM ${placedTable(table)}`;
}

/** Every column that the database does not number itself, by table. */
export type Tables = ReadonlyMap<string, readonly string[]>;

/** Sentences about tables and columns that are not as `copying` has them; none if it can be used. */
export function strangersTo(database: DatabaseName, copying: Copying, tables: Tables): readonly string[] {
  const { copied, broughtAlong, doNotGrow } = copying;
  const known = new Set([...Object.keys(copied), ...Object.keys(broughtAlong), ...doNotGrow]);
  const unknown = [...tables.keys()].filter((table) => !known.has(table));
  const gone = [...known].filter((table) => !tables.has(table));
  return [
    ...unknown.map((table) => `nobody said what becomes of the table ${table} of ${database} when orders are copied`),
    ...gone.map((table) => `there is no table ${table} in ${database}`),
    ...Object.entries(copied).flatMap(([table, { columns }]) => {
      const there = tables.get(table) ?? [];
      return [
        ...there
          .filter((column) => !(column in columns))
          .map((column) => `nobody said what the column ${column} of ${table} in ${database} holds in a copy`),
        ...Object.keys(columns)
          .filter((column) => tables.has(table) && !there.includes(column))
          .map((column) => `there is no column ${column} in ${table} of ${database}`),
      ];
    }),
  ];
}

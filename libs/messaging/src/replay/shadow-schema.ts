import type { Queryable, Transaction } from '@millrace/database';
import { quoted } from './quoted.ts';

/** Where a projection is rebuilt: a schema with tables like the live ones. */
export interface Shadow {
  readonly projection: string;
  readonly schema: string;
  /** Where the live tables go at the swap. They stay there until the next replay of the projection begins. */
  readonly before: string;
}

/** A table of the read model, found in the database. */
export interface LiveTable {
  readonly name: string;
  readonly schema: string;
  /** The columns of its primary key. */
  readonly key: readonly string[];
}

/** The tables of the projection cannot be rebuilt beside the live ones; the text says which and why. */
export class UnfitTables extends Error {
  override readonly name = 'UnfitTables';
}

// PostgreSQL cuts longer names off, and two projections must not meet in one schema.
const MAX_NAME_LENGTH = 63;

export function shadowOf(projection: string): Shadow {
  const schema = `replay_${projection.replaceAll('.', '_')}`;
  const before = `${schema}_before`;
  if (before.length > MAX_NAME_LENGTH) throw new UnfitTables(`${projection} is too long a name for a schema`);
  return { projection, schema, before };
}

interface TableRow {
  readonly name: string;
  readonly schema: string | null;
  readonly key: string[] | null;
  readonly is_plain: boolean;
  readonly obstacles: string[] | null;
}

/**
 * Finds the live tables and refuses those that could not be exchanged unnoticed: what points to a table by its identity (a
 * foreign key, a view, a publication) would go on pointing to the old one.
 * @throws {UnfitTables}
 */
export async function liveTables(db: Queryable, names: readonly string[]): Promise<readonly LiveTable[]> {
  const { rows } = await db.query<TableRow>(
    `SELECT t.name, n.nspname AS schema, c.relkind = 'r' AND c.relpersistence = 'p' AS is_plain,
            (SELECT array_agg(a.attname::text ORDER BY k.place)
               FROM pg_index i CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
               JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
              WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts) AS key,
            array_remove(ARRAY[
              CASE WHEN EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND c.oid IN (conrelid, confrelid)) THEN 'a foreign key' END,
              CASE WHEN EXISTS (SELECT FROM pg_constraint WHERE contype = 'x' AND conrelid = c.oid) THEN 'an exclusion constraint' END,
              CASE WHEN EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal) THEN 'a trigger' END,
              CASE WHEN EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent)) THEN 'partitions' END,
              CASE WHEN EXISTS (SELECT FROM pg_publication_rel WHERE prrelid = c.oid) THEN 'a publication' END,
              CASE WHEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attacl IS NOT NULL) THEN 'privileges on columns' END,
              CASE WHEN c.relrowsecurity THEN 'row security' END,
              CASE WHEN EXISTS (SELECT FROM pg_depend WHERE refclassid = 'pg_class'::regclass AND refobjid = c.oid
                                   AND classid = 'pg_rewrite'::regclass) THEN 'a view or a rule' END,
              CASE WHEN EXISTS (SELECT FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
                                 WHERE d.classid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.deptype = 'a')
                   THEN 'a serial column (an identity column is fine)' END
            ], NULL) AS obstacles
       FROM unnest($1::text[]) AS t(name)
       LEFT JOIN pg_class c ON c.oid = to_regclass(quote_ident(t.name))
       LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
      ORDER BY t.name`,
    [names],
  );
  return rows.map(({ name, schema, key, is_plain, obstacles }) => {
    if (schema === null) {
      throw new UnfitTables(`the table ${name} does not exist: create it again, empty, by the SQL of its migration`);
    }
    if (!is_plain) throw new UnfitTables(`${name} is not a plain, logged table`);
    if (key === null)
      throw new UnfitTables(`the table ${name} has no primary key, by which its rows could be compared`);
    if (obstacles !== null && obstacles.length > 0) {
      throw new UnfitTables(`the table ${name} cannot be exchanged unnoticed: it has ${obstacles.join(', ')}`);
    }
    return { name, schema, key };
  });
}

/**
 * Makes an empty shadow: tables like the live ones down to the names of constraints and indexes, to storage and privileges, and
 * one that remembers which messages were seen. A shadow that was left over goes, and so do the tables of before the last swap.
 */
export async function createShadow(tx: Transaction, shadow: Shadow, tables: readonly LiveTable[]): Promise<void> {
  await dropShadow(tx, shadow);
  await tx.query(`DROP SCHEMA IF EXISTS ${quoted(shadow.before)} CASCADE`);
  await tx.query(`CREATE SCHEMA ${quoted(shadow.schema)}`);
  await tx.query(
    `CREATE TABLE ${quoted(shadow.schema, 'replay_seen')} (message_id uuid PRIMARY KEY) WITH (autovacuum_enabled = false)`,
  );
  for (const table of tables) {
    const [live, copy] = [quoted(table.schema, table.name), quoted(shadow.schema, table.name)];
    await tx.query(`CREATE TABLE ${copy} (LIKE ${live} INCLUDING ALL EXCLUDING INDEXES)`);
    // What LIKE leaves out, or gives names of its own.
    const { rows } = await tx.query<{ ddl: string }>(LIKENESS, [table.schema, table.name, shadow.schema]);
    for (const { ddl } of rows) await tx.query(ddl);
  }
}

// The text of an index definition names its table once, qualified as format() does it.
const LIKENESS = `
  WITH live AS (
    SELECT c.oid, c.reltoastrelid, c.reloptions, c.relacl, c.relowner, format('%I.%I', n.nspname, c.relname) AS name,
           format('%I.%I', $3::text, c.relname) AS copy
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2
  ), index AS (
    SELECT x.relname AS index_name, k.conname, k.contype, k.condeferrable, k.condeferred, live.copy,
           replace(pg_get_indexdef(x.oid), ' ON ' || live.name || ' ', ' ON ' || live.copy || ' ') AS definition
      FROM live JOIN pg_index i ON i.indrelid = live.oid AND i.indisvalid JOIN pg_class x ON x.oid = i.indexrelid
      LEFT JOIN pg_constraint k ON k.conindid = x.oid AND k.conrelid = live.oid AND k.contype IN ('p', 'u')
  ), ddl AS (
    SELECT 1 AS step, definition AS ddl FROM index
    UNION ALL
    SELECT 2, format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %I%s%s', copy, conname,
                     CASE contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, index_name,
                     CASE WHEN condeferrable THEN ' DEFERRABLE' ELSE '' END, CASE WHEN condeferred THEN ' INITIALLY DEFERRED' ELSE '' END)
      FROM index WHERE conname IS NOT NULL
    UNION ALL
    SELECT 3, format('ALTER TABLE %s SET (%s%I = %L)', live.copy, o.prefix, o.option_name, o.option_value)
      FROM live, LATERAL (
        SELECT '' AS prefix, * FROM pg_options_to_table(live.reloptions)
        UNION ALL
        SELECT 'toast.', * FROM pg_options_to_table((SELECT t.reloptions FROM pg_class t WHERE t.oid = live.reltoastrelid))
      ) AS o
    UNION ALL
    SELECT 4, format('GRANT %s ON %s TO %s%s', a.privilege_type, live.copy,
                     CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                     CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
      FROM live, LATERAL aclexplode(live.relacl) AS a WHERE a.grantee <> live.relowner
    UNION ALL
    SELECT 5, format('COMMENT ON TABLE %s IS %L', live.copy, obj_description(live.oid, 'pg_class'))
      FROM live WHERE obj_description(live.oid, 'pg_class') IS NOT NULL
  )
  SELECT ddl FROM ddl ORDER BY step, ddl`;

export async function dropShadow(tx: Queryable, shadow: Shadow): Promise<void> {
  await tx.query(`DROP SCHEMA IF EXISTS ${quoted(shadow.schema)} CASCADE`);
}

/**
 * Puts the shadow's tables in the place of the live ones and keeps those apart, in the caller's transaction: a statement of somebody
 * else sees either all of the old tables or all of the new ones, and waits for the commit in between.
 */
export async function exchange(tx: Transaction, shadow: Shadow, tables: readonly LiveTable[]): Promise<void> {
  await tx.query(`DROP SCHEMA IF EXISTS ${quoted(shadow.before)} CASCADE`);
  await tx.query(`CREATE SCHEMA ${quoted(shadow.before)}`);
  for (const { schema, name } of tables) {
    await tx.query(`ALTER TABLE ${quoted(schema, name)} SET SCHEMA ${quoted(shadow.before)}`);
    await tx.query(`ALTER TABLE ${quoted(shadow.schema, name)} SET SCHEMA ${quoted(schema)}`);
  }
  await dropShadow(tx, shadow);
}

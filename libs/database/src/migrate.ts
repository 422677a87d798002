import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MigrationList, SchemaEngine } from '@prisma/schema-engine-wasm';
import type pg from 'pg';
import { type Migration, readMigrations } from './migration-files.ts';
import { withMigrationLock } from './migration-lock.ts';
import { withSchemaEngine } from './schema-engine.ts';

export interface DeployOptions {
  /** A role that owns its database is enough. */
  readonly url: string;
  readonly schemaPath: string;
  /** Directories of migrations, of the service and of the libraries it uses; applied as one list sorted by name. */
  readonly migrationDirectories: readonly string[];
}

export interface MigrateCommandOptions {
  readonly service: string;
  readonly url: string;
  /** Holds `schema.prisma` and `migrations`. */
  readonly prismaDir: string;
  /** Migrations that libraries bring along. */
  readonly libraryMigrationDirectories?: readonly string[];
  /** `(fields, message)`, as pino's `logger.info` takes them. */
  readonly log: (fields: Record<string, unknown>, message: string) => void;
}

/** A service's `migrate` command: deploys, says what was applied, and resolves to it. The process can then exit. */
export async function runMigrateCommand(options: MigrateCommandOptions): Promise<string[]> {
  const startedAt = performance.now();
  const applied = await migrateDeploy({
    url: options.url,
    schemaPath: join(options.prismaDir, 'schema.prisma'),
    migrationDirectories: [join(options.prismaDir, 'migrations'), ...(options.libraryMigrationDirectories ?? [])],
  });
  const fields = { service: options.service, applied, durationMs: Math.round(performance.now() - startedAt) };
  options.log(fields, applied.length === 0 ? 'database is up to date' : `applied ${applied.length} migration(s)`);
  return applied;
}

// A migration that waits for a table's lock makes everybody queue behind it. Better to give up and be run again.
const LOCK_TIMEOUT_MS = 10_000;

const NOTHING_IS_EXTERNAL = { externalTables: [], externalEnums: [] };

/**
 * Applies what is missing and resolves to the names of what it applied, in that order. Each migration is one
 * transaction: when one fails, or the process is killed, nothing of it remains, the ones before it stay, and the next
 * deploy tries it again. Only a migration that cannot run in a transaction, or ends one itself, then needs a hand.
 *
 * Several deploys at once take turns. Nothing it leaves behind keeps the process alive.
 */
export async function migrateDeploy(options: DeployOptions): Promise<string[]> {
  const migrations = readMigrations(options.migrationDirectories);
  return withMigrationLock(options.url, async (session) => {
    await forgiveUnfinished(session, migrations);
    let scriptError: unknown;
    const engineOptions = {
      url: options.url,
      schemaPath: options.schemaPath,
      lockTimeoutMs: LOCK_TIMEOUT_MS,
      rewriteScript: (script: string) => withItsRecord(script, migrations),
      onScriptError: (error: unknown) => {
        scriptError = error;
      },
    };
    return withSchemaEngine(engineOptions, async (engine) => {
      try {
        const { appliedMigrationNames } = await engine.applyMigrations({
          migrationsList: migrationsList(migrations),
          filters: NOTHING_IS_EXTERNAL,
        });
        return appliedMigrationNames;
      } catch (error) {
        throw scriptError === undefined ? error : await explained(session, migrations, scriptError);
      }
    });
  });
}

/**
 * The SQL that a new migration needs so that all migrations together give `schemaPath`; '' when nothing is missing.
 * Plays the migrations in a database that it creates and drops, so the role must be allowed to create one.
 */
export async function diffMigration(options: DeployOptions): Promise<string> {
  const migrations = readMigrations(options.migrationDirectories);
  const { url, schemaPath } = options;
  return withSchemaEngine({ url, schemaPath, lockTimeoutMs: LOCK_TIMEOUT_MS }, (engine) =>
    diff(engine, { tag: 'migrations', ...migrationsList(migrations) }, schemaPath),
  );
}

/**
 * The SQL that would bring the database's `public` schema to what `schemaPath` says; '' when they agree. Knows tables,
 * columns, indexes, enums and keys; not CHECK constraints, functions or other PostgreSQL schemas, which only SQL has.
 */
export async function driftOf(url: string, schemaPath: string): Promise<string> {
  return withSchemaEngine({ url, schemaPath, lockTimeoutMs: LOCK_TIMEOUT_MS }, (engine) =>
    diff(engine, { tag: 'schemaDatasource', configDir: '.', files: [schemaFile(schemaPath)] }, schemaPath),
  );
}

// The engine notes a migration's end after the migration. In between, a killed process leaves it done but unfinished;
// noted in the migration's own transaction, unfinished always means undone.
const RECORD = `
;
UPDATE public._prisma_migrations SET finished_at = now() WHERE finished_at IS NULL AND rolled_back_at IS NULL;
`;

function withItsRecord(script: string, migrations: readonly Migration[]): string {
  return migrations.some(({ sql, isAtomic }) => isAtomic && sql === script) ? script + RECORD : script;
}

/** Lets migrations that left nothing behind be tried again; the engine refuses to go on as long as one is unfinished. */
async function forgiveUnfinished(session: pg.Client, migrations: readonly Migration[]): Promise<void> {
  const { rows } = await session.query<{ exists: boolean }>(
    `SELECT to_regclass('public._prisma_migrations') IS NOT NULL AS exists`,
  );
  if (!rows[0]?.exists) return;
  await session.query(
    `UPDATE public._prisma_migrations SET rolled_back_at = now()
     WHERE finished_at IS NULL AND rolled_back_at IS NULL AND migration_name = ANY($1::text[])`,
    [migrations.filter(({ isAtomic }) => isAtomic).map(({ name }) => name)],
  );
}

async function explained(session: pg.Client, migrations: readonly Migration[], scriptError: unknown): Promise<Error> {
  const { rows } = await session.query<{ name: string }>(
    `SELECT migration_name AS name FROM public._prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL`,
  );
  const name = rows[0]?.name ?? 'unknown';
  const isAtomic = migrations.find((migration) => migration.name === name)?.isAtomic === true;
  const reason = scriptError instanceof Error ? scriptError.message : String(scriptError);
  const consequence = isAtomic
    ? 'Nothing of it remains; correct it and deploy again.'
    : 'It is not one transaction, so parts of it may remain: undo them, set its rolled_back_at in _prisma_migrations, and deploy again.';
  return new Error(`migration ${name} failed: ${reason}. ${consequence}`, { cause: scriptError });
}

type DiffTarget = Parameters<SchemaEngine['diff']>[0]['from'];

async function diff(engine: SchemaEngine, from: DiffTarget, schemaPath: string): Promise<string> {
  const { stdout } = await engine.diff({
    from,
    to: { tag: 'schemaDatamodel', files: [schemaFile(schemaPath)] },
    script: true,
    exitCode: null,
    filters: NOTHING_IS_EXTERNAL,
  });
  return stdout === null || stdout.startsWith(NOTHING_TO_DO) ? '' : stdout;
}

// What the engine writes in place of no SQL.
const NOTHING_TO_DO = '-- This is an empty migration.';

function schemaFile(path: string): { path: string; content: string } {
  return { path, content: readFileSync(path, 'utf8') };
}

function migrationsList(migrations: readonly Migration[]): MigrationList {
  return {
    baseDir: '.',
    shadowDbInitScript: '',
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
    })),
  };
}

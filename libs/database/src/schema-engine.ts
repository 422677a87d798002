import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum, type SqlQuery } from '@prisma/driver-adapter-utils';
import * as wasm from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

// Not in @types/node; the DOM lib would bring everything else along.
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

type Adapter = Awaited<ReturnType<PrismaPg['connect']>>;

interface OpenAdapter {
  readonly adapter: Adapter;
  readonly pool: pg.Pool;
}

export interface EngineOptions {
  readonly url: string;
  readonly schemaPath: string;
  /** How long one statement waits for another session's lock. */
  readonly lockTimeoutMs: number;
  /** What to run in place of a script; the script itself when left out. */
  readonly rewriteScript?: (script: string) => string;
  /** Hears what PostgreSQL said about a script; the engine's own error buries it. */
  readonly onScriptError?: (error: unknown) => void;
}

/**
 * Prisma's schema engine, its WASM build, over `pg`: the same engine, `_prisma_migrations` table and checksums as
 * `prisma migrate`, without a native binary to download. Everything it opened is closed when `work` ends.
 */
export async function withSchemaEngine<T>(
  options: EngineOptions,
  work: (engine: wasm.SchemaEngine) => Promise<T>,
): Promise<T> {
  await loadEngine();
  const main = await openAdapter(options);
  let dropShadow = async (): Promise<void> => {};
  try {
    const engine = await wasm.SchemaEngine.new(
      { datamodels: [[options.schemaPath, readFileSync(options.schemaPath, 'utf8')]] },
      () => {},
      bindMigrationAwareSqlAdapterFactory({
        provider: 'postgres',
        adapterName: '@prisma/adapter-pg',
        connect: async () => main.adapter,
        connectToShadowDb: async () => {
          const name = `shadow_${randomUUID().replaceAll('-', '')}`;
          await main.pool.query(`CREATE DATABASE ${name}`);
          const shadow = await openAdapter({ ...options, url: withDatabase(options.url, name) });
          dropShadow = async () => {
            await shadow.pool.end();
            await main.pool.query(`DROP DATABASE ${name} WITH (FORCE)`);
          };
          return shadow.adapter;
        },
      }),
    );
    return await work(engine);
  } finally {
    try {
      await dropShadow();
    } finally {
      await main.pool.end();
    }
  }
}

function withDatabase(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.href;
}

async function openAdapter(options: EngineOptions): Promise<OpenAdapter> {
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: 'millrace-migrate',
    // One session, never replaced: the engine's advisory lock lives in it.
    max: 1,
    idleTimeoutMillis: 0,
    lock_timeout: options.lockTimeoutMs,
    keepAlive: true,
  });
  pool.on('error', () => {});
  pool.on('connect', (session) => session.on('error', () => {}));
  return { adapter: repaired(await new PrismaPg(pool).connect(), pool, options), pool };
}

// PostgreSQL's one-byte type "char", used by its catalogs.
const CHAR_OID = 18;
const TEXT_OID = 25;

/** Mends what adapter-pg 7.10 does to migrations. */
function repaired(adapter: Adapter, pool: pg.Pool, options: EngineOptions): Adapter {
  const inner = adapter as unknown as {
    performIO(query: SqlQuery): Promise<pg.QueryArrayResult<unknown[]>>;
    onError(error: unknown): never;
  };

  // It splits scripts on every ';', also inside function bodies, and runs the parts one by one. Sent whole, a script is
  // one implicit transaction: all of a migration or nothing of it.
  adapter.executeScript = async (script) => {
    try {
      await pool.query(options.rewriteScript?.(script) ?? script);
    } catch (error) {
      options.onScriptError?.(error);
      inner.onError(error);
    }
  };

  // It does not know "char" and gives up on the catalog queries by which the engine reads a database.
  const charColumns = new WeakMap<object, readonly number[]>();
  const performIO = inner.performIO.bind(adapter);
  const queryRaw = adapter.queryRaw.bind(adapter);
  inner.performIO = async (query) => {
    const result = await performIO(query);
    const columns = result.fields.flatMap((field, index) => (field.dataTypeID === CHAR_OID ? [index] : []));
    for (const column of columns) {
      const field = result.fields[column];
      if (field) field.dataTypeID = TEXT_OID;
      for (const row of result.rows) row[column] ||= '\0';
    }
    charColumns.set(result.rows, columns);
    return result;
  };
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    for (const column of charColumns.get(result.rows) ?? []) result.columnTypes[column] = ColumnTypeEnum.Character;
    return result;
  };
  return adapter;
}

let loaded: Promise<void> | undefined;

function loadEngine(): Promise<void> {
  loaded ??= (async () => {
    const binary = createRequire(import.meta.url)
      .resolve('@prisma/schema-engine-wasm')
      .replace(/\.js$/, '_bg.wasm');
    Object.assign(globalThis, {
      PRISMA_WASM_PANIC_REGISTRY: {
        set_message: (message: string) => process.stderr.write(`schema engine panic: ${message}\n`),
      },
    });
    const { instance } = await WebAssembly.instantiate(readFileSync(binary), {
      './schema_engine_bg.js': { ...wasm, ...unreferencedTimers() },
    });
    wasm.__wbg_set_wasm(instance.exports);
    (instance.exports['__wbindgen_start'] as () => void)();
  })();
  return loaded;
}

// The engine never clears the 10 s timer that bounds its wait for the lock: a finished process would stay for it.
function unreferencedTimers(): Record<string, unknown> {
  const imports = Object.keys(wasm).filter((name) => name.startsWith('__wbg_setTimeout_'));
  const start = (callback: () => void, ms: number): NodeJS.Timeout => setTimeout(callback, ms).unref();
  return Object.fromEntries(imports.map((name) => [name, start]));
}

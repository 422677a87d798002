import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { diffMigration, driftOf, migrateDeploy, runMigrateCommand } from './migrate.ts';
import { NewMigrationError, writeNewMigration } from './new-migration.ts';
import { createTestDatabase, type TestDatabase } from './testing.ts';

let directory: string;
let scratch: TestDatabase;
let session: pg.Client;

const SCHEMA = `
generator client {
  provider = "prisma-client"
  output   = "../generated"
}

datasource db {
  provider = "postgresql"
}

model Thing {
  id    String @id @db.Uuid
  stock Int

  @@map("things")
}
`;
const THINGS = '20260101000000_things';
const MESSAGING = '20260102000000_messaging';
const FUNCTION = '20260103000000_function';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-migrate-'));
});

beforeEach(async () => {
  write('prisma/schema.prisma', SCHEMA);
  service(THINGS, 'CREATE TABLE things (id uuid PRIMARY KEY, stock integer NOT NULL CHECK (stock >= 0));');
  library(MESSAGING, 'CREATE SCHEMA messaging; CREATE TABLE messaging.outbox (id bigint PRIMARY KEY);');
  service(FUNCTION, 'CREATE FUNCTION two() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; RETURN 2; END $$;');
  scratch = await createTestDatabase();
  session = new pg.Client({ connectionString: scratch.url });
  await session.connect();
});

afterEach(async () => {
  await session.end();
  await scratch.drop();
  rmSync(directory, { recursive: true });
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
}

const service = (name: string, sql: string): void => write(`prisma/migrations/${name}/migration.sql`, sql);
const library = (name: string, sql: string): void => write(`library/${name}/migration.sql`, sql);
const schemaPath = (): string => join(directory, 'prisma/schema.prisma');
const directories = (): string[] => [join(directory, 'prisma/migrations'), join(directory, 'library')];

function deploy(): Promise<string[]> {
  return migrateDeploy({ url: scratch.url, schemaPath: schemaPath(), migrationDirectories: directories() });
}

async function exists(table: string): Promise<boolean> {
  const { rows } = await session.query<{ exists: boolean }>('SELECT to_regclass($1) IS NOT NULL AS exists', [table]);
  return rows[0]?.exists === true;
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error('the work did not fail');
}

describe('deploying migrations', () => {
  it('applies those of the service and of its libraries in the order of their names, once', async () => {
    expect(await deploy()).toEqual([THINGS, MESSAGING, FUNCTION]);
    expect(await deploy()).toEqual([]);
    expect(await exists('messaging.outbox')).toBe(true);
    expect((await session.query('SELECT two()')).rows).toEqual([{ two: 2 }]);
  });

  it('applies a migration that arrives late although its name sorts before others', async () => {
    await deploy();
    library('20260101500000_inbox', 'CREATE TABLE messaging.inbox (id bigint PRIMARY KEY)');
    expect(await deploy()).toEqual(['20260101500000_inbox']);
  });

  it('lets deploys that start together take turns', async () => {
    service('20260104000000_slow', 'SELECT pg_sleep(0.5); CREATE TABLE slow (id integer PRIMARY KEY);');
    const all = await Promise.all([deploy(), deploy(), deploy()]);
    expect(all.flat()).toEqual([THINGS, MESSAGING, FUNCTION, '20260104000000_slow']);
  });

  it('refuses two migrations of one name, because one of them would be left out', async () => {
    library(THINGS, 'SELECT 1');
    await expect(deploy()).rejects.toThrow(`two migrations have the name ${THINGS}`);
  });

  it('keeps nothing of a migration that fails, and tries it again when it was corrected', async () => {
    const broken = '20260104000000_broken';
    service(broken, 'CREATE TABLE half (id integer PRIMARY KEY); SELECT 1 / 0;');
    expect((await failureOf(deploy())).message).toBe(
      `migration ${broken} failed: division by zero. Nothing of it remains; correct it and deploy again.`,
    );
    expect(await exists('things')).toBe(true);
    expect(await exists('half')).toBe(false);

    service(broken, 'CREATE TABLE half (id integer PRIMARY KEY);');
    expect(await deploy()).toEqual([broken]);
    expect(await exists('half')).toBe(true);
  });

  it('asks for a hand after a failed migration that is not one transaction', async () => {
    const concurrent = '20260104000000_concurrent';
    service(concurrent, 'CREATE INDEX CONCURRENTLY nothing ON nowhere (id)');
    expect((await failureOf(deploy())).message).toContain('parts of it may remain');
    await expect(deploy()).rejects.toThrow(concurrent);
  });

  it('builds an index concurrently while another deploy waits', async () => {
    service('20260104000000_concurrent', 'CREATE INDEX CONCURRENTLY things_stock ON things (stock)');
    const all = await Promise.all([deploy(), deploy()]);
    expect(all.flat()).toContain('20260104000000_concurrent');
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)('goes on after a deploy that %s ended in the middle', async (signal) => {
    const slow = '20260104000000_slow';
    service(slow, 'CREATE TABLE slow (id integer PRIMARY KEY); SELECT pg_sleep(30);');
    const deployer = spawnDeploy();
    await until(async () => (await sleeping()).length === 1);
    deployer.kill(signal);
    await once(deployer, 'exit');
    for (const pid of await sleeping()) await session.query('SELECT pg_terminate_backend($1)', [pid]);
    expect(await exists('slow')).toBe(false);

    service(slow, 'CREATE TABLE slow (id integer PRIMARY KEY);');
    expect(await deploy()).toEqual([slow]);
  });

  it('does not apply a migration twice when its deploy ended after it and before noting so', async () => {
    await deploy();
    service('20260104000000_last', 'CREATE TABLE last (id integer PRIMARY KEY)');
    await session.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
      CREATE TRIGGER refuse BEFORE UPDATE OF applied_steps_count ON _prisma_migrations EXECUTE FUNCTION refuse();`);
    await expect(deploy()).rejects.toThrow('refused');
    expect(await exists('last')).toBe(true);

    await session.query('DROP FUNCTION refuse CASCADE');
    expect(await deploy()).toEqual([]);
  });

  it('lets the process exit at once', async () => {
    const startedAt = performance.now();
    const [code] = await once(spawnDeploy(), 'exit');
    expect(code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(9_000);
    expect(await exists('things')).toBe(true);
  });

  it('reports what it applied', async () => {
    const lines: unknown[] = [];
    const options = {
      service: 'order',
      url: scratch.url,
      prismaDir: join(directory, 'prisma'),
      libraryMigrationDirectories: [join(directory, 'library')],
      log: (...line: unknown[]) => lines.push(line),
    };
    const applied = await runMigrateCommand(options);
    await runMigrateCommand(options);
    expect(applied).toEqual([THINGS, MESSAGING, FUNCTION]);
    expect(lines).toEqual([
      [{ service: 'order', applied, durationMs: expect.any(Number) }, 'applied 3 migration(s)'],
      [{ service: 'order', applied: [], durationMs: expect.any(Number) }, 'database is up to date'],
    ]);
  });
});

function spawnDeploy(): ReturnType<typeof spawn> {
  const migrate = fileURLToPath(new URL('./migrate.ts', import.meta.url));
  const options = { url: scratch.url, schemaPath: schemaPath(), migrationDirectories: directories() };
  const script = `const { migrateDeploy } = await import(${JSON.stringify(migrate)}); await migrateDeploy(${JSON.stringify(options)});`;
  return spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' });
}

async function sleeping(): Promise<number[]> {
  const { rows } = await session.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE application_name = 'millrace-migrate' AND wait_event = 'PgSleep' AND datname = current_database()`,
  );
  return rows.map(({ pid }) => pid);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  // A process that starts on a busy machine takes seconds.
  const deadline = Date.now() + 25_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited for 25 s in vain');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('drift', () => {
  it('is none right after a deploy, whatever libraries keep in schemas of their own', async () => {
    await deploy();
    expect(await driftOf(scratch.url, schemaPath())).toBe('');
  });

  it('is found when a column was added by hand', async () => {
    await deploy();
    await session.query('ALTER TABLE things ADD COLUMN colour text');
    expect(await driftOf(scratch.url, schemaPath())).toContain('DROP COLUMN "colour"');
  });
});

describe('a new migration', () => {
  const scratchServer = (): string => process.env['MILLRACE_TEST_POSTGRES_URL'] ?? '';
  const WITH_COLOUR = SCHEMA.replace('stock Int', 'stock Int\n  colour String?');

  function create(name: string): Promise<string> {
    const now = new Date('2026-02-03T04:05:06Z');
    return writeNewMigration({ prismaDir: join(directory, 'prisma'), name, scratchUrl: scratchServer(), now });
  }

  it('holds the SQL from the migrations to the schema, after which there is nothing left to do', async () => {
    write('prisma/schema.prisma', WITH_COLOUR);
    const path = await create('add_colour');
    expect(path).toBe(join(directory, 'prisma/migrations/20260203040506_add_colour/migration.sql'));
    expect(readFileSync(path, 'utf8')).toContain('ALTER TABLE "things" ADD COLUMN     "colour" TEXT');
    await deploy();
    expect(await driftOf(scratch.url, schemaPath())).toBe('');
    expect(
      await diffMigration({ url: scratchServer(), schemaPath: schemaPath(), migrationDirectories: directories() }),
    ).toBe('');
  });

  it('is not written when nothing changed', async () => {
    const failure = await failureOf(create('nothing'));
    expect(failure).toBeInstanceOf(NewMigrationError);
    expect(failure.message).toContain('nothing to do');
    expect(existsSync(join(directory, 'prisma/migrations/20260203040506_nothing'))).toBe(false);
  });

  it('leaves no scratch database behind', async () => {
    await failureOf(create('nothing'));
    const { rows } = await session.query(`SELECT datname FROM pg_database WHERE datname LIKE 'shadow%'`);
    expect(rows).toEqual([]);
  });

  it.each(['', 'Add Colour', '../escape'])('is refused under the name "%s"', async (name) => {
    expect((await failureOf(create(name))).message).toContain('lower_snake_case');
  });
});

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { diffMigration } from './migrate.ts';

/** Something the developer can put right; its message says what. */
export class NewMigrationError extends Error {}

export interface NewMigrationOptions {
  /** Holds `schema.prisma` and `migrations`. */
  readonly prismaDir: string;
  /** What the migration does: `add_coupons`. */
  readonly name: string;
  /** A server on which the role may create a database; nothing that is there is touched. */
  readonly scratchUrl: string;
  readonly now: Date;
}

/** Writes `migrations/<time>_<name>/migration.sql`, which brings the migrations up to `schema.prisma`; resolves to its path. */
export async function writeNewMigration(options: NewMigrationOptions): Promise<string> {
  const schemaPath = join(options.prismaDir, 'schema.prisma');
  const migrations = join(options.prismaDir, 'migrations');
  if (!existsSync(schemaPath)) throw new NewMigrationError(`there is no ${schemaPath}: run this in a service's folder`);
  if (!/^[a-z0-9]+(_[a-z0-9]+)*$/.test(options.name))
    throw new NewMigrationError('name the migration in lower_snake_case, for example: add_coupons');
  if (!options.scratchUrl)
    throw new NewMigrationError(
      'set DATABASE_URL to a PostgreSQL server where a scratch database may be created, for example postgresql://postgres:postgres@127.0.0.1:5432/postgres',
    );
  const sql = await diffMigration({ url: options.scratchUrl, schemaPath, migrationDirectories: [migrations] });
  if (sql === '') throw new NewMigrationError(`nothing to do: the migrations already give ${schemaPath}`);
  const time = options.now.toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const directory = join(migrations, `${time}_${options.name}`);
  mkdirSync(directory);
  const path = join(directory, 'migration.sql');
  writeFileSync(path, sql);
  return path;
}

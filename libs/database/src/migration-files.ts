import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** Runs as one transaction: all of it or nothing. */
  readonly isAtomic: boolean;
}

/**
 * The migrations of several directories as one list in the order of their names, as if they lay in one. Throws when a
 * directory is missing or a name occurs twice, because either would silently leave a migration out.
 */
export function readMigrations(directories: readonly string[]): Migration[] {
  const found = new Map<string, string>();
  for (const directory of directories) {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name, 'migration.sql');
      if (!existsSync(path)) continue;
      const other = found.get(name);
      if (other) throw new Error(`two migrations have the name ${name}: ${other} and ${path}`);
      found.set(name, path);
    }
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, path]) => {
      const sql = readFileSync(path, 'utf8');
      return { name, sql, isAtomic: !ENDS_OR_REFUSES_A_TRANSACTION.test(sql) };
    });
}

// Taken at the word, also in a comment or a function body: such a migration is only treated with more care.
const ENDS_OR_REFUSES_A_TRANSACTION = /\b(COMMIT|ROLLBACK|CONCURRENTLY|VACUUM)\b/i;

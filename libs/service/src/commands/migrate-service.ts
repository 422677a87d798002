import { isDatabaseUnavailable } from '@millrace/database';
import { runMigrateCommand } from '@millrace/database/migrate';
import { messagingMigrations } from '@millrace/messaging/migrations';
import { createLogger } from '@millrace/observability';
import { z } from 'zod';
import { baseConfig } from '../config/base-config.ts';
import { ConfigError, loadConfig } from '../config/load-config.ts';

// A migration needs the database and somewhere to log, nothing else of the service's configuration.
const { DATABASE_URL, LOG_LEVEL, LOG_PRETTY } = baseConfig({ httpPort: 0 });
const schema = z.object({ DATABASE_URL, LOG_LEVEL, LOG_PRETTY });

/**
 * The whole of a service's `migrate` command: applies the migrations of the messaging runtime and its own that are missing, says which,
 * and leaves exit code 0; on bad configuration or an unreachable database one clear message and exit code 1.
 * `prismaDir` holds `schema.prisma` and `migrations`.
 */
export async function migrateService(service: string, prismaDir: string, env?: NodeJS.ProcessEnv): Promise<void> {
  try {
    const config = loadConfig(schema, env);
    const logger = createLogger({ service, level: config.LOG_LEVEL, pretty: config.LOG_PRETTY });
    await runMigrateCommand({
      service,
      url: config.DATABASE_URL,
      prismaDir,
      libraryMigrationDirectories: [messagingMigrations],
      log: (fields, message) => logger.info(fields, message),
    });
  } catch (error) {
    if (error instanceof ConfigError) process.stderr.write(`${service} cannot be migrated. ${error.message}\n`);
    else if (isDatabaseUnavailable(error)) {
      const reason = error instanceof Error ? error.message : String(error);
      process.stderr.write(
        `${service} cannot be migrated: its database cannot be reached (${reason}). Start it, or correct DATABASE_URL.\n`,
      );
    } else throw error;
    process.exitCode = 1;
  }
}

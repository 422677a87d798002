import { baseConfig, loadConfig } from '@millrace/service';
import { z } from 'zod';

const base = baseConfig({ httpPort: 8085 });

const schema = z.object(base);

export type AnalyticsConfig = z.output<typeof schema>;

/** The environment, parsed once. Throws one `ConfigError` for everything that is wrong. */
export const readConfig = (env?: NodeJS.ProcessEnv): AnalyticsConfig => loadConfig(schema, env);

/** What the migrate command needs: the database, and how to log. */
export const readMigrateConfig = (env?: NodeJS.ProcessEnv) =>
  loadConfig(z.object({ DATABASE_URL: base.DATABASE_URL, LOG_LEVEL: base.LOG_LEVEL, LOG_PRETTY: base.LOG_PRETTY }), env);

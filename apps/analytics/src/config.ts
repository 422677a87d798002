import { baseConfig, loadConfig } from '@millrace/service';
import { z } from 'zod';

const base = baseConfig({ httpPort: 8085 });

const schema = z.object(base);

export type AnalyticsConfig = z.output<typeof schema>;

/** The environment, parsed once. Throws one `ConfigError` for everything that is wrong. */
export const readConfig = (env?: NodeJS.ProcessEnv): AnalyticsConfig => loadConfig(schema, env);

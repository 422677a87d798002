import { baseConfig, loadConfig } from '@millrace/service';
import { z } from 'zod';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const base = baseConfig({ httpPort: 8082 });

const schema = z.object({
  ...base,
  STOCK_HOLD_MS: z.coerce
    .number('expected a number')
    .int()
    .min(1)
    .max(7 * DAY_MS)
    .default(60 * MINUTE_MS)
    .describe(
      "how long stock is held for an order, in ms; longer than the checkout's deadlines together, such as 3600000",
    ),
});

export type InventoryConfig = z.output<typeof schema>;

/** The environment, parsed once. Throws one `ConfigError` for everything that is wrong. */
export const readConfig = (env?: NodeJS.ProcessEnv): InventoryConfig => loadConfig(schema, env);

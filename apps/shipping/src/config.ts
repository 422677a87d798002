import { baseConfig, loadConfig } from '@millrace/service';
import { z } from 'zod';

// A parcel takes days; a month is a typing error.
const MAX_DELAY_MS = 30 * 24 * 60 * 60 * 1000;

const base = baseConfig({ httpPort: 8083 });

const delayMs = (defaultMs: number, meaning: string) =>
  z.coerce
    .number('expected a number')
    .int()
    .min(0)
    .max(MAX_DELAY_MS)
    .default(defaultMs)
    .describe(`how long the in-process carrier takes ${meaning}, in ms, such as ${defaultMs}`);

const schema = z.object({
  ...base,
  CARRIER_REFUSED_POSTCODES: z
    .string()
    .default('00000,99999')
    .transform((list): ReadonlySet<string> => new Set(list.split(',').map((postcode) => postcode.trim())))
    .describe('the postcodes that the in-process carrier does not serve, such as 00000,99999'),
  CARRIER_DISPATCH_AFTER_MS: delayMs(1_500, 'from booking to collecting a parcel'),
  CARRIER_DELIVER_AFTER_MS: delayMs(3_000, 'from collecting to delivering a parcel'),
});

export type ShippingConfig = z.output<typeof schema>;

/** The environment, parsed once. Throws one `ConfigError` for everything that is wrong. */
export const readConfig = (env?: NodeJS.ProcessEnv): ShippingConfig => loadConfig(schema, env);

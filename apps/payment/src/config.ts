import { baseConfig, loadConfig } from '@millrace/service';
import { z } from 'zod';

// The runtime gives a call 10 s; Stripe's own time-out comes first, so that the reason is known.
const MAX_STRIPE_TIMEOUT_MS = 9_500;

const base = baseConfig({ httpPort: 8081 });

const choice = 'in-process or stripe';

const inProcess = z.object({
  ...base,
  PAYMENT_PROVIDER: z
    .literal('in-process', `expected ${choice}`)
    .default('in-process')
    .describe(`who moves the money: ${choice}`),
  PAYMENT_PROVIDER_LEDGER_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'expected a postgresql:// URL' })
    .describe(
      "the database in which the in-process provider keeps its books, none of the service's own, such as postgresql://payment_provider:password@127.0.0.1:5432/payment_provider",
    ),
});

const stripe = z.object({
  ...base,
  PAYMENT_PROVIDER: z.literal('stripe', `expected ${choice}`).describe(`who moves the money: ${choice}`),
  STRIPE_API_KEY: z.string().describe('the secret key of the Stripe account, such as sk_test_…'),
  STRIPE_API_BASE: z
    .url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' })
    .default('https://api.stripe.com')
    .describe("where Stripe's API is, such as https://api.stripe.com, or http://127.0.0.1:12111 for stripe-mock"),
  STRIPE_TIMEOUT_MS: z.coerce
    .number('expected a number')
    .int()
    .min(100)
    .max(MAX_STRIPE_TIMEOUT_MS)
    .default(8_000)
    .describe('how long one call to Stripe may take, in ms, such as 8000'),
});

export type PaymentConfig = z.output<typeof inProcess> | z.output<typeof stripe>;

/** The environment, parsed once. Throws one `ConfigError` for everything that is wrong with the chosen provider. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): PaymentConfig {
  return env['PAYMENT_PROVIDER'] === 'stripe' ? loadConfig(stripe, env) : loadConfig(inProcess, env);
}

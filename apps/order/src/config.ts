import { baseConfig, loadConfig } from '@millrace/service';
import { z } from 'zod';

// What takes longer than a week is stuck, and a person should look at it.
const MAX_DEADLINE_MS = 7 * 24 * 60 * 60 * 1000;

const deadlineMs = (defaultMs: number, meaning: string) =>
  z.coerce
    .number('expected a number')
    .int()
    .min(1)
    .max(MAX_DEADLINE_MS)
    .default(defaultMs)
    .describe(`how long a checkout waits ${meaning}, in ms, such as ${defaultMs}`);

/** A limit from which on orders are turned away. */
const limit = (atMost: number, defaultValue: number, meaning: string) =>
  z.coerce
    .number('expected a number')
    .int()
    .min(1)
    .max(atMost)
    .default(defaultValue)
    .describe(`orders are turned away with 503 while ${meaning}, such as ${defaultValue}`);

const base = baseConfig({ httpPort: 8080 });

const schema = z.object({
  ...base,
  CHECKOUT_STOCK_DEADLINE_MS: deadlineMs(120_000, 'for stock'),
  CHECKOUT_PAYMENT_DEADLINE_MS: deadlineMs(120_000, 'for the payment to be authorized'),
  CHECKOUT_DISPATCH_DEADLINE_MS: deadlineMs(1_800_000, 'for the parcel to be dispatched'),
  CHECKOUT_RECALL_DEADLINE_MS: deadlineMs(60_000, 'for a shipment to be called back before it asks again'),
  CHECKOUT_CAPTURE_DEADLINE_MS: deadlineMs(120_000, 'for the payment to be captured before it asks again'),
  CHECKOUT_UNDO_DEADLINE_MS: deadlineMs(60_000, 'for money and stock to be given back before it asks again'),
  IDEMPOTENCY_KEY_TTL_HOURS: z.coerce
    .number('expected a number')
    .min(1)
    .max(24 * 365)
    .default(24)
    .describe('how long a repeated POST /orders gets its first answer, in hours, such as 24'),
  SHED_OUTBOX_MESSAGES: limit(1_000_000, 50_000, 'so many messages wait in the outbox'),
  SHED_OUTBOX_AGE_MS: limit(MAX_DEADLINE_MS, 900_000, 'the oldest message has waited in the outbox for so long, in ms'),
  SHED_POOL_WAITERS: limit(100_000, 500, 'so many wait in this process for a database session'),
  SHED_OPEN_PLACEMENTS: limit(100_000, 1_000, 'so many orders wait in this process for their answer'),
  TRACE_UI_URL: z
    .url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' })
    .optional()
    .describe(
      'where people look at traces, such as http://127.0.0.1:16686; timelines then link to the trace of their order',
    ),
  MAX_STREAMS: z.coerce
    .number('expected a number')
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe('event streams open at once; more are refused with 503, such as 1000'),
});

export type OrderConfig = z.output<typeof schema>;

/** The environment, parsed once. Throws one `ConfigError` for everything that is wrong. */
export const readConfig = (env?: NodeJS.ProcessEnv): OrderConfig => loadConfig(schema, env);

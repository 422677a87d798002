import { z } from 'zod';

const schema = z.object({
  DATABASE_URL: z.url(),
  KAFKA_BROKERS: z.string(),
  HTTP_PORT: z.coerce.number().int(),
  SMTP_URL: z.url().optional(),
  PAYMENT_PROVIDER_URL: z.url().optional(),
});

export interface Settings {
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
  readonly httpPort: number;
  readonly smtpUrl: string | undefined;
  readonly paymentProviderUrl: string | undefined;
}

/** The environment. @throws {Error} something is missing. */
export function settings(): Settings {
  const { DATABASE_URL, KAFKA_BROKERS, HTTP_PORT, SMTP_URL, PAYMENT_PROVIDER_URL } = schema.parse(process.env);
  return {
    databaseUrl: DATABASE_URL,
    brokers: KAFKA_BROKERS.split(','),
    httpPort: HTTP_PORT,
    smtpUrl: SMTP_URL,
    paymentProviderUrl: PAYMENT_PROVIDER_URL,
  };
}

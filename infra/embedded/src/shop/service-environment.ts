import type { DatabaseUrls, ServiceName } from '@millrace/shop';

/** What the services of a shop find around them. */
export interface Surroundings {
  readonly databases: DatabaseUrls;
  readonly brokers: readonly string[];
  readonly smtpPort: number;
  readonly logLevel: string;
}

/** The environment variables of a service, besides its address. */
export function environmentOf(
  service: ServiceName,
  { databases, brokers, smtpPort, logLevel }: Surroundings,
): Record<string, string> {
  const everywhere = {
    DATABASE_URL: databases[service],
    KAFKA_BROKERS: brokers.join(','),
    LOG_LEVEL: logLevel,
  };
  if (service === 'payment') return { ...everywhere, PAYMENT_PROVIDER_LEDGER_URL: databases.payment_provider };
  if (service === 'notification') return { ...everywhere, SMTP_URL: `smtp://127.0.0.1:${smtpPort}` };
  return everywhere;
}

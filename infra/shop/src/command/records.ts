import { mailpit } from '../mail/mailpit.ts';
import type { DatabaseUrls, ShopRecords } from '../running-shop.ts';
import { databases } from '../services.ts';

/** What tells where a shop keeps its books. */
export const recordVariables = {
  AUDITOR_DATABASE_URL:
    'the PostgreSQL server, as a role that may read every database; the database it names does not matter',
  KAFKA_BROKERS: 'host:port of at least one broker, separated by commas',
  MAILPIT_URL: 'the HTTP API of the Mailpit that gets the mails',
} as const;

export function recordsOf(variables: Readonly<Record<keyof typeof recordVariables, string>>): ShopRecords {
  const { AUDITOR_DATABASE_URL, KAFKA_BROKERS, MAILPIT_URL } = variables;
  const urls = databases.map((name) => {
    const url = new URL(AUDITOR_DATABASE_URL);
    url.pathname = `/${name}`;
    return [name, url.href] as const;
  });
  return {
    databases: Object.fromEntries(urls) as DatabaseUrls,
    brokers: KAFKA_BROKERS.split(','),
    mailbox: mailpit({ url: MAILPIT_URL }),
  };
}

import type { DatabaseName, ServiceName } from './services.ts';

/** Where each service's HTTP API is, without a slash at the end. */
export type ServiceUrls = Readonly<Record<ServiceName, string>>;

/** Where each database is, for a role that may read all of it. */
export type DatabaseUrls = Readonly<Record<DatabaseName, string>>;

/** What a mail server knows of the mails that reached it. */
export interface Arrivals {
  /** What arrived before is not known any more. */
  readonly since: Date;
  /** How often each mail arrived, by its Message-ID as the sender wrote it, with its angle brackets. */
  readonly byMessageId: ReadonlyMap<string, number>;
}

/** The mail server at which the mails of the shop arrive. */
export interface Mailbox {
  arrivals(): Promise<Arrivals>;
}

/** Where a shop writes down what it does. Whoever judges its books needs no more. */
export interface ShopRecords {
  readonly databases: DatabaseUrls;
  readonly brokers: readonly string[];
  readonly mailbox: Mailbox;
}

/** A shop that runs somewhere: on this machine, in containers, elsewhere. What is done with a shop needs to know no more. */
export interface RunningShop extends ShopRecords {
  readonly urls: ServiceUrls;
}

import { Database } from '@millrace/database';
import { createKafka, type Kafka, type TopicViewOptions } from '@millrace/messaging/kafka';
import { createLogger } from '@millrace/observability';
import { CommandFailed, Misuse } from './errors.ts';

/** Where a shop is. */
export interface Surroundings {
  readonly brokers: readonly string[];
  /** The address of each service's database, for the service's own role. One that is missing is told when it is needed. */
  readonly databases: Readonly<Record<string, string | undefined>>;
  /** As in the services; empty but in tests. */
  readonly topicPrefix: string;
  /** Where all this comes from, for messages: `the environment`, `the demo in .millrace/demo`. */
  readonly from: string;
}

/** What a shop consists of. The groups of a service begin with its name and a point. */
export interface ShopMap {
  readonly services: readonly string[];
  /** Each consumer group and the topics that it hears. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

export interface Group {
  readonly name: string;
  readonly service: string;
  readonly topics: readonly string[];
}

// A person waits: two tries of a second each, then it is said that Kafka is away.
const KAFKA_RETRIES = 2;

// One command does one thing at a time.
const SESSIONS = 2;

// What kafkajs would say here, the caller hears as an exception.
const logger = createLogger({ service: 'millrace', level: 'silent' });

/** The shop that a command works on. Opens what is asked for when it is asked for; whoever made it closes it. */
export class Shop {
  readonly surroundings: Surroundings;
  readonly services: readonly string[];
  readonly groups: readonly Group[];
  readonly kafka: Kafka;
  readonly #databases = new Map<string, Database>();

  constructor(map: ShopMap, surroundings: Surroundings) {
    this.surroundings = surroundings;
    this.services = map.services;
    this.groups = Object.entries(map.groups).map(([name, topics]) => ({ name, service: serviceOf(name), topics }));
    this.kafka = createKafka({ brokers: surroundings.brokers, clientId: 'millrace', logger, retries: KAFKA_RETRIES });
  }

  /** @throws {Misuse} there is none of this name; the message lists those that there are. */
  group(name: string): Group {
    const found = this.groups.find((group) => group.name === name);
    if (found === undefined) {
      const known = this.groups.map((group) => `  ${group.name}`).join('\n');
      throw new Misuse(`There is no consumer group ${name}. There are:\n${known}`);
    }
    return found;
  }

  /** The database of a service. @throws {CommandFailed} nobody said where it is. */
  database(service: string): Database {
    const opened = this.#databases.get(service);
    if (opened !== undefined) return opened;
    const url = this.surroundings.databases[service];
    if (url === undefined) {
      throw new CommandFailed(
        `Nobody said where the database of the ${service} service is: set ${service.toUpperCase()}_DATABASE_URL.`,
      );
    }
    const database = new Database({ url, applicationName: 'millrace', poolSize: SESSIONS });
    this.#databases.set(service, database);
    return database;
  }

  /** The database that a group works in. */
  databaseOf(group: string): Database {
    return this.database(this.group(group).service);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#databases.values()].map((database) => database.close()));
  }
}

/** What a look at the topics of a shop needs to know. */
export function viewOptions({ surroundings: { brokers, topicPrefix }, groups }: Shop): TopicViewOptions {
  return { brokers, topicPrefix, groups, logger };
}

function serviceOf(group: string): string {
  return group.slice(0, group.indexOf('.'));
}

import type { Build } from '../build.ts';

/** What scenarios run on: servers and a build of the service. */
export interface Grounds {
  readonly brokers: readonly string[];
  /** How many copies each record has. */
  readonly replicas: number;
  /** The superuser's connection to the database `postgres`. */
  readonly postgresUrl: string;
  readonly build: Build;
  /** Gets the logs of the services. */
  readonly logFolder: string;
  /** The longest wait for anything. */
  readonly patienceMs: number;
}

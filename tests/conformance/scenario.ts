import type { KafkaCluster, PostgresServer } from '@millrace/embedded';
import type { World } from './world/world.ts';
import type { PromiseName } from './promises.ts';

/** Servers that a scenario may kill. */
export interface Servers {
  readonly kafka: KafkaCluster;
  readonly postgres: PostgresServer;
}

/** One fact about the runtime, told by what a service does with messages. It rejects when the fact does not hold. */
export interface Scenario {
  readonly promise: PromiseName;
  /** A sentence in the present tense. */
  readonly title: string;
  /** Kills brokers: no other scenario runs meanwhile. */
  readonly isAlone?: boolean;
  /** Has a PostgreSQL of its own, to kill it. */
  readonly hasOwnPostgres?: boolean;
  run(world: World, servers: Servers): Promise<void>;
}

/** The name of a scenario in results, in planted bugs and on the command line. */
export function nameOf({ promise, title }: Pick<Scenario, 'promise' | 'title'>): string {
  return `${promise}: ${title}`;
}

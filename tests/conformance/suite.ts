import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type KafkaCluster, type PostgresServer, startKafka, startPostgres } from '@millrace/embedded';
import type { Build } from './build.ts';
import type { Scenario } from './scenario.ts';
import { makeTemplate } from './world/database.ts';
import type { Grounds } from './world/grounds.ts';
import { World } from './world/world.ts';

/** How a scenario ended. */
export interface Outcome {
  readonly holds: boolean;
  readonly seconds: number;
  /** Why it does not hold. */
  readonly error?: string;
}

/** One run of a scenario, on a build. */
export interface Run {
  readonly scenario: Scenario;
  readonly build: Build;
  /** The longest wait for anything. */
  readonly patienceMs: number;
}

// More than any scenario needs on a busy machine; what takes longer hangs.
const RUN_WITHIN_MS = 180_000;

// An assertion shows both sides, which may be long lists.
const MAX_ERROR_LINES = 12;

/** One cluster and one database server, on which scenarios run side by side. */
export class Grid {
  readonly #folder: string;
  readonly #kafka: KafkaCluster;
  readonly #postgres: PostgresServer;
  #servers = 0;

  private constructor(folder: string, kafka: KafkaCluster, postgres: PostgresServer) {
    this.#folder = folder;
    this.#kafka = kafka;
    this.#postgres = postgres;
  }

  /** Starts it in a folder. Whoever started it stops it. */
  static async start(folder: string, nodes: 1 | 3): Promise<Grid> {
    mkdirSync(join(folder, 'logs'), { recursive: true });
    const [kafka, postgres] = await Promise.allSettled([
      startKafka({ dir: join(folder, 'kafka'), nodes }),
      startPostgres({ dir: join(folder, 'postgres') }),
    ]);
    if (kafka.status === 'rejected' || postgres.status === 'rejected') {
      if (kafka.status === 'fulfilled') await kafka.value.stop();
      if (postgres.status === 'fulfilled') await postgres.value.stop();
      throw kafka.status === 'rejected' ? kafka.reason : (postgres as PromiseRejectedResult).reason;
    }
    const grid = new Grid(folder, kafka.value, postgres.value);
    await makeTemplate(postgres.value.superuserUrl, folder);
    return grid;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#kafka.stop(), this.#postgres.stop()]);
  }

  /**
   * Runs all, `side` at a time, those that kill brokers alone and last. Never rejects; tells each outcome as it comes.
   */
  async run(runs: readonly Run[], side: number, tell: (run: Run, outcome: Outcome) => void): Promise<void> {
    const waiting = runs.filter(({ scenario }) => scenario.isAlone !== true);
    const work = async (): Promise<void> => {
      for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) tell(run, await this.#outcome(run));
    };
    await Promise.all(Array.from({ length: side }, work));
    for (const run of runs.filter(({ scenario }) => scenario.isAlone === true)) tell(run, await this.#outcome(run));
  }

  async #outcome(run: Run): Promise<Outcome> {
    const startedAt = performance.now();
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error('it does not end')), RUN_WITHIN_MS);
    const ended = (outcome: { holds: boolean; error?: string }): Outcome => ({
      ...outcome,
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    });
    try {
      await Promise.race([this.#run(run), tooLate]);
      return ended({ holds: true });
    } catch (error) {
      return ended({ holds: false, error: textOf(error) });
    } finally {
      clearTimeout(timer);
    }
  }

  async #run({ scenario, build, patienceMs }: Run): Promise<void> {
    const ends: (() => Promise<void>)[] = [];
    try {
      let postgres = this.#postgres;
      if (scenario.hasOwnPostgres === true) {
        const dir = join(this.#folder, `postgres-${(this.#servers += 1)}`);
        const own = await startPostgres({ dir });
        ends.unshift(() => own.stop());
        await makeTemplate(own.superuserUrl, dir);
        postgres = own;
      }
      const grounds: Grounds = {
        brokers: this.#kafka.brokers,
        replicas: this.#kafka.nodes.length,
        postgresUrl: postgres.superuserUrl,
        build,
        logFolder: join(this.#folder, 'logs'),
        patienceMs,
      };
      const world = await World.open(grounds);
      ends.unshift(() => world.close());
      await scenario.run(world, { kafka: this.#kafka, postgres });
    } finally {
      if (scenario.isAlone === true) await reviveBrokers(this.#kafka);
      for (const end of ends) await end();
    }
  }
}

/** A scenario that failed halfway may have left a broker dead, which is no fault of the next one. */
async function reviveBrokers({ nodes }: KafkaCluster): Promise<void> {
  await Promise.all(nodes.map((node) => node.start().catch(() => undefined)));
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = error.message.split('\n');
  return [...lines.slice(0, MAX_ERROR_LINES), ...(lines.length > MAX_ERROR_LINES ? ['…'] : [])].join('\n');
}

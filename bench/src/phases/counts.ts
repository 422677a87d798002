import { closedLoop } from '../load/closed-loop.ts';
import { type DiskUse, diskUseOf } from '../measure/disk.ts';
import { KafkaRequestCounter, type KafkaRequests } from '../measure/kafka-requests.ts';
import { round } from '../measure/percentiles.ts';
import { countStatementsIn, type SqlCounts, sqlCounts } from '../measure/sql-statements.ts';
import { startBaseline } from '../systems/baseline.ts';
import { startMillrace } from '../systems/millrace.ts';
import { type System, type SystemName, type SystemOptions, systemNames } from '../systems/system.ts';
import type { Bench } from './phase.ts';
import { customersOf, warmedUp } from './warmed-up.ts';

/** What an order costs in things that can be counted. */
export interface CountsRun {
  readonly orders: number;
  readonly sqlStatements: number;
  readonly transactions: number;
  readonly kafkaRequests: KafkaRequests;
  readonly kafkaRequestsTotal: number;
  /** Bytes that stay on the disk. */
  readonly postgresBytes: number;
  readonly kafkaBytes: number;
  /** Bytes written ahead of them, whose room is used again. */
  readonly walBytes: number;
}

export type Counts = Readonly<Record<SystemName, CountsRun>>;

interface Look {
  readonly sql: SqlCounts;
  readonly kafka: KafkaRequests;
  readonly disk: DiskUse;
}

/** Counts in runs of their own, under full load: counting costs time, and the runs that are timed shall not pay for it. */
export async function counts(bench: Bench): Promise<Counts> {
  const runs: Partial<Record<SystemName, CountsRun>> = {};
  for (const name of systemNames) runs[name] = await countsOf(bench, name);
  return runs as Counts;
}

async function countsOf(bench: Bench, name: SystemName): Promise<CountsRun> {
  const { options, say, stop } = bench;
  say(`Counts per order: ${name}`);
  let requests: KafkaRequestCounter | undefined;
  const start = async (system: SystemOptions): Promise<System> => {
    await countStatementsIn(system.dir);
    const counter = new KafkaRequestCounter(system.dir);
    requests = counter;
    const counting = { ...system, env: () => counter.environment };
    return name === 'millrace' ? startMillrace(counting) : startBaseline(counting);
  };
  return bench.run(start, async (system) => {
    const customers = customersOf(bench, system);
    const look = async (): Promise<Look> => ({
      kafka: requests?.counted() ?? {},
      sql: await sqlCounts(system.postgresUrl),
      disk: await diskUseOf(system),
    });
    return warmedUp(bench, system, async (placer, observer) => {
      const [before, ordersBefore] = [await look(), observer.reached.completed];
      say(`  ${customers} customers for ${options.seconds} s …`);
      await closedLoop(placer, observer, { customers, seconds: options.seconds, stop });
      // With the mails and the figures, which come after the end of an order. Asking whether it is quiet takes statements too: a few
      // hundred, among some hundred thousand.
      await system.settled();
      return countedBetween(before, await look(), observer.reached.completed - ordersBefore);
    });
  });
}

function countedBetween(before: Look, after: Look, orders: number): CountsRun {
  const each = (to: number, from: number): number => round((to - from) / orders);
  const kafkaRequests = Object.fromEntries(
    Object.entries(after.kafka).map(([kind, count]) => [kind, each(count, before.kafka[kind] ?? 0)]),
  );
  return {
    orders,
    sqlStatements: each(after.sql.statements, before.sql.statements),
    transactions: each(after.sql.transactions, before.sql.transactions),
    kafkaRequests,
    kafkaRequestsTotal: round(Object.values(kafkaRequests).reduce((sum, count) => sum + count, 0)),
    postgresBytes: Math.round((after.disk.postgres - before.disk.postgres) / orders),
    kafkaBytes: Math.round((after.disk.kafka - before.disk.kafka) / orders),
    walBytes: Math.round((after.sql.walBytes - before.sql.walBytes) / orders),
  };
}

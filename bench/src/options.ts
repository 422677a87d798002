import { parseArgs } from 'node:util';
import { phaseNames, type PhaseName, usualPhases } from './phases/names.ts';

export interface Options {
  readonly phases: readonly PhaseName[];
  readonly isQuick: boolean;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly idleSeconds: number;
  readonly rounds: number;
  readonly customers: number;
  readonly rate: number;
  readonly outageSeconds: number;
  readonly backlogOrders: number;
  readonly scalingOrders: number;
  readonly growthOrders: readonly number[];
  readonly out: string;
  readonly publishes: boolean;
}

/** What was asked for makes no sense; the message says what, for people. */
export class Misuse extends Error {
  override readonly name = 'Misuse';
}

export const HELP = `Measures the shop, and the same saga written the usual way: everything on this machine, the load generator included.

  pnpm bench [options]

What it measures; all but the last unless --only names some, separated by commas:

  saturation   closed loop with as many customers as it takes, in turns with the baseline: orders/s, CPU per order, memory, latency
               when loaded and when idle
  open-loop    orders at a fixed rate, whatever becomes of them: latency without coordinated omission
  recovery     a service is killed under load: how long until the shop has caught up
  backlog      orders that were accepted while a service was away: how fast they are worked off
  replay       a read model is rebuilt: events/s
  counts       SQL statements, Kafka requests and bytes on the disk per order, in turns with the baseline
  scaling      1, 2 and 4 replicas of a service
  growth       what an order costs with 10 thousand to a million orders in the databases; the first are placed, the others
               copied there (a quarter of an hour, and 15 GiB of disk; only when named)

Options:

  --only PHASES      see above
  --quick            everything small: to see that it works (minutes instead of half an hour); its figures mean little
  --seconds N        length of each measurement under load (default 60)
  --rounds N         rounds of saturation, each with both systems (default 2)
  --customers N      customers in the closed loop, each with one order under way (default 3000; 600 with --quick)
  --rate N           orders per second of the open loop and during recovery (default 100)
  --orders N,N,…     sizes of growth, the first of which is placed (default 10000,100000,1000000)
  --out DIR          where results.json and report.html go (default .millrace/bench)
  --publish          also put the results into bench/results/latest.json, and docs/performance.md in accordance with it
  --help             this text

It ends with 1 when the books of a run do not add up, or when an order gets dearer by a fifth as the databases grow.`;

/** @throws {Misuse} for what it does not understand. `undefined`: the help was asked for. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parsed(args);
  if (values.help === true) return undefined;
  const isQuick = values.quick === true;
  const seconds = positive('--seconds', values.seconds, isQuick ? 10 : 60);
  return {
    phases: values.only === undefined ? usualPhases : values.only.split(',').map(phaseNamed),
    isQuick,
    seconds,
    // The compiler of each service needs some thousand orders before it is done.
    warmUpSeconds: Math.min(20, Math.max(5, seconds)),
    idleSeconds: Math.max(3, Math.round(seconds / 3)),
    rounds: positive('--rounds', values.rounds, isQuick ? 1 : 2),
    customers: positive('--customers', values.customers, isQuick ? 600 : 3000),
    rate: positive('--rate', values.rate, 100),
    outageSeconds: isQuick ? 5 : 30,
    backlogOrders: isQuick ? 1_000 : 20_000,
    scalingOrders: isQuick ? 1_500 : 5_000,
    growthOrders: (values.orders ?? (isQuick ? '2000,8000' : '10000,100000,1000000'))
      .split(',')
      .map((size) => positive('--orders', size, 0)),
    out: values.out ?? '.millrace/bench',
    publishes: values.publish === true,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        quick: { type: 'boolean' },
        seconds: { type: 'string' },
        rounds: { type: 'string' },
        customers: { type: 'string' },
        rate: { type: 'string' },
        orders: { type: 'string' },
        out: { type: 'string' },
        publish: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : String(error));
  }
}

function phaseNamed(name: string): PhaseName {
  const found = phaseNames.find((phase) => phase === name.trim());
  if (found === undefined) throw new Misuse(`--only takes ${phaseNames.join(', ')}, and not ${name}`);
  return found;
}

/** @throws {Misuse} no whole number, or one below 1. */
export function positive(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new Misuse(`${name} takes whole numbers of at least 1, not ${text}`);
  }
  return value;
}

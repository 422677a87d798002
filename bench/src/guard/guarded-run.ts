import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@millrace/shop';
import { drive } from '../load/drive.ts';
import type { OrderObserver } from '../load/order-observer.ts';
import type { OrderPlacer } from '../load/order-placer.ts';
import { LAST_ORDER_WITHIN_SECONDS, within } from '../load/within.ts';
import { KafkaRequestCounter, type KafkaRequests } from '../measure/kafka-requests.ts';
import { countStatementsIn, forgetStatements, statementsOf } from '../measure/sql-statements.ts';
import { type Millrace, startMillrace } from '../systems/millrace.ts';
import { WrongBooks } from '../systems/system.ts';
import { type BatchesByService, batchesBetween, batchesOf } from './batches.ts';
import { type Held, heldIn, logBytesIn, rowsIn } from './kept.ts';
import { type SqlWork, workOf } from './statements.ts';

/** What a part of the run took. */
export interface Counted {
  readonly orders: number;
  readonly work: Readonly<Record<string, SqlWork>>;
  readonly batches: BatchesByService;
}

export interface GuardedRun {
  /** Orders that are placed one after the other: a batch is one message. */
  readonly alone: Counted;
  /** Orders that were accepted while the first service that they need was away, and are then worked off. */
  readonly backlog: Counted;
  /** What the services asked of Kafka for the backlog. */
  readonly requests: KafkaRequests;
  /** What these orders and a first one have left. */
  readonly orders: number;
  readonly kept: Kept;
}

interface Kept {
  readonly topics: Readonly<Record<string, Held>>;
  readonly logBytes: number;
  readonly rows: Readonly<Record<string, number>>;
}

const CONNECTIONS = 64;

// All that happens to an order waits for it.
const AWAY: ServiceName = 'inventory';

/**
 * Runs a shop in the folder for some orders one at a time and for some that wait together, counts what they took and left, checks the books,
 * and ends it. What is counted does not depend on how fast the machine is. @throws {WrongBooks}
 */
export async function guardedRun(
  dir: string,
  orders: { readonly alone: number; readonly waiting: number },
): Promise<GuardedRun> {
  await countStatementsIn(dir);
  const counter = new KafkaRequestCounter(dir);
  const millrace = await startMillrace({ dir, say: () => {}, env: () => counter.environment });
  try {
    return await drive(millrace, CONNECTIONS, async (placer, observer) => {
      const rowsBefore = await rowsIn(millrace.shop);
      // The first one opens connections, and finds offsets that nobody has committed.
      await oneByOne(1, placer, observer);
      await millrace.settled();
      const alone = await counted(millrace, orders.alone, () => oneByOne(orders.alone, placer, observer));
      const before = await whenWritten(counter);
      const backlog = await counted(millrace, orders.waiting, () =>
        workedOff(orders.waiting, millrace, placer, observer),
      );
      const requests = between(before, await whenWritten(counter));
      const { balance, findings } = await millrace.books();
      if (!balance) throw new WrongBooks('millrace', findings);
      const kept = {
        topics: await heldIn(millrace.shop),
        logBytes: await logBytesIn(dir),
        rows: between(rowsBefore, await rowsIn(millrace.shop)),
      };
      return { alone, backlog, requests, orders: 1 + orders.alone + orders.waiting, kept };
    });
  } finally {
    await millrace.stop();
  }
}

async function oneByOne(orders: number, placer: OrderPlacer, observer: OrderObserver): Promise<void> {
  for (let placed = 0; placed < orders; placed++) {
    await within(LAST_ORDER_WITHIN_SECONDS, 'an order ended', observer.follow(await placer.place()).ended);
  }
}

async function workedOff(
  orders: number,
  { shop }: Millrace,
  placer: OrderPlacer,
  observer: OrderObserver,
): Promise<void> {
  const [replica] = shop.services[AWAY];
  if (replica === undefined) throw new Error(`there is no ${AWAY} service`);
  await replica.stop();
  const placed = await Promise.all(Array.from({ length: orders }, () => placer.place()));
  const ends = placed.map((order) => observer.follow(order).ended);
  await replica.start();
  await within(LAST_ORDER_WITHIN_SECONDS, 'the last order ended', Promise.all(ends));
  await replica.ready();
}

/** Counts from quiet to quiet: mails and figures come after the end of an order. */
async function counted(millrace: Millrace, orders: number, work: () => Promise<void>): Promise<Counted> {
  const batchesBefore = await batchesOf(millrace.shop.urls);
  await forgetStatements(millrace.postgresUrl);
  await work();
  await millrace.settled();
  const statements = await statementsOf(millrace.postgresUrl);
  const batches = await batchesOf(millrace.shop.urls);
  return {
    orders,
    work: Object.fromEntries(
      Object.keys(millrace.shop.databases).map((name) => [
        name,
        workOf(statements.filter(({ database }) => database === name)),
      ]),
    ),
    batches: batchesBetween(batchesBefore, batches),
  };
}

const LOOK_EVERY_MS = 600;

/** The services write down every quarter of a second what they have sent: what stays the same for longer is all of it. */
async function whenWritten(counter: KafkaRequestCounter): Promise<KafkaRequests> {
  for (let last = counter.counted(); ;) {
    await sleep(LOOK_EVERY_MS);
    const next = counter.counted();
    if (next['Produce'] === last['Produce'] && next['OffsetCommit'] === last['OffsetCommit']) return next;
    last = next;
  }
}

function between(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]));
}

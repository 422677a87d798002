import type { DatabaseName, ShopRecords } from '@millrace/shop';
import { asked } from '../measure/asked.ts';
import { strangersTo } from './copying.ts';
import { copyings } from './databases/index.ts';
import { CopySession } from './session.ts';
import type { Remembered } from './tables.ts';

/** Orders that were placed in a shop and have ended, all between two moments. */
export interface Placed {
  readonly orders: number;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly sums: Readonly<Partial<Record<DatabaseName, Remembered>>>;
}

export interface Copies {
  readonly count: number;
  /** How many were made before: these are older. */
  readonly before: number;
  readonly stop: AbortSignal;
  readonly onCopied: (copies: number) => void;
}

const MINUTE_MS = 60_000;

// The shop forgets idempotency keys after a day, and a copy must not become so old while it is measured.
const OLDEST_MS = 20 * 60 * MINUTE_MS;

/**
 * All orders of a shop, when the first of them was placed after `from`. Right only while nothing is under way.
 * @throws {Error} when there are orders that have not been completed, or tables or columns that nobody has thought of.
 */
export async function placedSince(from: Date, shop: ShopRecords): Promise<Placed> {
  const untilMs = Date.now() + 1;
  const [counted] = await asked<{ orders: number; completed: number }>(
    shop.databases.order,
    `SELECT count(*)::float8 AS orders, count(*) FILTER (WHERE status = 'completed')::float8 AS completed FROM checkouts`,
  );
  const { orders, completed } = counted ?? { orders: 0, completed: 0 };
  if (orders === 0 || completed < orders) {
    throw new Error(`${completed} of ${orders} orders are completed: only completed orders are copied`);
  }
  const sums: Partial<Record<DatabaseName, Remembered>> = {};
  await inEveryDatabase(shop, async (session, database) => {
    const strangers = strangersTo(database, copyings[database], await session.tables());
    if (strangers.length > 0) throw new Error(`Orders cannot be copied: ${strangers.join('; ')}.`);
    sums[database] = await session.remember();
  });
  return { orders, fromMs: from.getTime(), untilMs, sums };
}

/** How many copies of `each` orders it takes so that there are at least as many as wanted. */
export function copiesFor(wanted: number, there: number, each: number): number {
  return Math.max(0, Math.ceil((wanted - there) / each));
}

/**
 * How much earlier than the orders, or the copy before it, a copy was placed: at least the time that the orders took, so that no two
 * ids are the same; and whole minutes, because analytics counts by minute.
 */
export function spanMsOf({ fromMs, untilMs }: Pick<Placed, 'fromMs' | 'untilMs'>): number {
  return Math.ceil((untilMs - fromMs) / MINUTE_MS) * MINUTE_MS;
}

/**
 * Puts copies of orders into the databases of a shop as if they had been placed before, the oldest first. Right only while nothing is under
 * way. A copy is in all databases when `onCopied` hears of it. What fails leaves the books wrong.
 */
export async function copyOrders(shop: ShopRecords, placed: Placed, copies: Copies): Promise<void> {
  const { count, before, stop, onCopied } = copies;
  const spanMs = spanMsOf(placed);
  const ageMs = Date.now() - placed.fromMs + (before + count) * spanMs;
  if (ageMs > OLDEST_MS) {
    const hours = Math.round(ageMs / 60 / MINUTE_MS);
    throw new Error(
      `The oldest of ${before + count} copies would be ${hours} hours old, and the shop forgets after a day: place more orders before they are copied.`,
    );
  }
  await inEveryDatabase(
    shop,
    (session, database) => session.putAside(placed, placed.sums[database] ?? {}),
    async (sessions) => {
      for (let nth = 1; nth <= count; nth += 1) {
        stop.throwIfAborted();
        const earlierByMs = (before + count + 1 - nth) * spanMs;
        await Promise.all(sessions.map((session) => session.copy(earlierByMs)));
        onCopied(nth);
      }
      await Promise.all(sessions.map((session) => session.tidy()));
    },
  );
}

async function inEveryDatabase(
  shop: ShopRecords,
  begin: (session: CopySession, database: DatabaseName) => Promise<void>,
  work: (sessions: readonly CopySession[]) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const sessions: CopySession[] = [];
  try {
    for (const [name, copying] of Object.entries(copyings)) {
      const database = name as DatabaseName;
      const session = new CopySession(shop.databases[database], copying);
      sessions.push(session);
      await session.connect();
      await begin(session, database);
    }
    await work(sessions);
  } finally {
    await Promise.allSettled(sessions.map((session) => session.close()));
  }
}

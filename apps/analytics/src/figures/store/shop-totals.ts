import { type Database, statement } from '@millrace/database';

/** Everything counted since the read model began. */
export interface ShopTotals {
  readonly currencies: readonly {
    readonly currency: string;
    readonly placed: number;
    readonly confirmed: number;
    readonly completed: number;
    readonly cancelled: number;
    readonly revenueMinor: number;
  }[];
  readonly steps: readonly { readonly item: string; readonly times: number }[];
  readonly cancellations: readonly { readonly item: string; readonly times: number }[];
}

// A year of minutes in two currencies takes some 200 ms. Counts beyond what a double holds exactly are none of a shop's worries.
const sumMinutes = statement(
  'analytics.shop.currencies',
  `SELECT currency, sum(placed)::float8 AS placed, sum(confirmed)::float8 AS confirmed, sum(completed)::float8 AS completed,
          sum(cancelled)::float8 AS cancelled, sum(revenue_minor)::float8 AS "revenueMinor"
     FROM order_minute GROUP BY currency`,
);

const selectTallies = statement(
  'analytics.shop.tallies',
  "SELECT subject, item, times::float8 AS times FROM tally WHERE subject IN ('step', 'cancellation')",
);

/** Reads the totals. The server gives up on each of the two statements after `withinMs`. */
export async function shopTotals(database: Database, withinMs: number): Promise<ShopTotals> {
  const currencies = await database.queryWithin<ShopTotals['currencies'][number]>(withinMs, sumMinutes());
  const tallies = await database.queryWithin<{ subject: string; item: string; times: number }>(
    withinMs,
    selectTallies(),
  );
  return {
    currencies,
    steps: tallies.filter(({ subject }) => subject === 'step'),
    cancellations: tallies.filter(({ subject }) => subject === 'cancellation'),
  };
}

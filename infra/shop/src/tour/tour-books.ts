import { auditOnce } from '../audit/audit-once.ts';
import { firstIdOf } from '../audit/watch-list.ts';
import { checkBooks, NO_MAIL_REPEATED, unrestWithin } from '../books.ts';
import { rowsOf } from '../books/rows.ts';
import type { ShopRecords } from '../running-shop.ts';
import type { Screen } from '../show/screen.ts';
import { showReport, showWaiting } from '../show/show-books.ts';

const QUIET_WITHIN_MS = 10_000;
const TRIES = 4;

// All books of more orders are not read into memory at once.
const MAX_ORDERS_AT_ONCE = 50_000;

const LIVING = { windowMs: 15 * 60_000, settledMs: 10_000, lookAgainAfterMs: 20_000 };

// In a shop that has been open for long a service may have been stopped or killed, and then this is no broken promise.
const forgiven = new Map([[NO_MAIL_REPEATED, 'a service that ends between a mail and its record sends it again']]);

/**
 * Shows the books of a shop that others may use as well; resolves to the number of rules that do not hold. Where nobody
 * else orders, all books are checked once nothing is under way; else those of the orders that have ended.
 */
export async function showBooksAfterTour(records: ShopRecords, screen: Screen): Promise<number> {
  const tourEndedAt = new Date();
  screen.line();
  screen.line(screen.color.bold('The books'));
  const living = async (why: string): Promise<number> => {
    screen.line(`     ${why}: the books are judged of the orders that ended, in the last 15 minutes`);
    return showReport(await auditOnce(records, LIVING), screen);
  };
  if ((await countOrders(records)) > MAX_ORDERS_AT_ONCE)
    return living(`There are more than ${MAX_ORDERS_AT_ONCE} orders`);
  const unrest = await showWaiting(screen, unrestOf(records, tourEndedAt));
  if (unrest === undefined) {
    const report = await checkBooks(records);
    if (report.balance || !(await isBusy(records, tourEndedAt))) return showReport(report, screen, forgiven);
  }
  if (await isBusy(records, tourEndedAt)) return living('Other customers keep the shop busy');
  screen.line(`     ${screen.color.red('✘')} ${unrest}`);
  return showReport(await checkBooks(records), screen, forgiven) + 1;
}

/** What is under way and does not end; undefined when all is quiet. Gives up early when others keep ordering. */
async function unrestOf(records: ShopRecords, since: Date): Promise<string | undefined> {
  let unrest: string | undefined;
  for (let tries = 0; tries < TRIES; tries++) {
    unrest = await unrestWithin(records, QUIET_WITHIN_MS);
    if (unrest === undefined || (await isBusy(records, since))) break;
  }
  return unrest;
}

/** Whether anybody has ordered since. */
async function isBusy(records: ShopRecords, since: Date): Promise<boolean> {
  const sql = 'SELECT FROM orders WHERE order_id >= $1::uuid LIMIT 1';
  return (await rowsOf(records, 'order', sql, [firstIdOf(since)])).length > 0;
}

async function countOrders(records: ShopRecords): Promise<number> {
  const [row] = await rowsOf<{ count: number }>(records, 'order', 'SELECT count(*)::int AS count FROM orders');
  return row?.count ?? 0;
}

import type { DatabaseName, ShopRecords } from '@millrace/shop';
import { asked } from '../measure/asked.ts';
import type { Books } from './system.ts';

interface Orders {
  readonly placed: number;
  readonly completed: number;
  readonly minor: number;
}

const MAILS_PER_ORDER = 2;

/**
 * The books of a shop by their sums, for runs of so many orders that they cannot be compared one by one in memory. Only for runs in
 * which every order can be completed: nothing lost and nothing twice means then that every book has as many entries as there are
 * orders, with keys that make each order's entry the only one. Of orders that were `copied` in the databases nobody was sent a mail.
 */
export async function totalsOf({ databases, mailbox }: ShopRecords, copied = 0): Promise<Books> {
  const one = async <Row extends Record<string, number>>(database: DatabaseName, sql: string): Promise<Row> => {
    const [row] = await asked<Row>(databases[database], sql);
    if (row === undefined) throw new Error(`no answer to: ${sql}`);
    return row;
  };
  const orders = await one<Orders & Record<string, number>>(
    'order',
    `SELECT count(*)::float8 AS placed, count(*) FILTER (WHERE status = 'completed')::float8 AS completed,
            coalesce(sum(total_minor) FILTER (WHERE status = 'completed'), 0)::float8 AS minor
       FROM orders JOIN checkouts USING (order_id)`,
  );
  const charges = await one(
    'payment_provider',
    `SELECT count(*) FILTER (WHERE kind = 'capture')::float8 AS captures,
            count(DISTINCT order_id) FILTER (WHERE kind = 'capture')::float8 AS orders,
            count(*) FILTER (WHERE kind NOT IN ('authorize', 'capture'))::float8 AS others,
            coalesce(sum(amount_minor) FILTER (WHERE kind = 'capture'), 0)::float8 AS minor FROM charge`,
  );
  const payments = await one(
    'payment',
    `SELECT count(*)::float8 AS captured, coalesce(sum(captured_minor), 0)::float8 AS minor FROM payment WHERE status = 'captured'`,
  );
  const stock = await one(
    'inventory',
    `SELECT sum(reserved)::float8 AS reserved, (SELECT sum(added)::float8 FROM restock) - sum(on_hand)::float8 AS sold FROM stock`,
  );
  const parcels = await one(
    'shipping',
    `SELECT count(*)::float8 AS left FROM shipment WHERE status IN ('dispatched', 'delivered')`,
  );
  const told = await one(
    'notification',
    `SELECT count(*) FILTER (WHERE status = 'sent')::float8 AS sent FROM notification`,
  );
  const counted = await one(
    'analytics',
    `SELECT sum(placed)::float8 AS placed, sum(completed)::float8 AS completed, sum(revenue_minor)::float8 AS minor FROM order_minute`,
  );
  const { byMessageId } = await mailbox.arrivals();
  const repeated = [...byMessageId.values()].filter((times) => times > 1).length;
  const mails = orders.completed * MAILS_PER_ORDER;
  const compared: readonly (readonly [what: string, is: number | undefined, due: number])[] = [
    ['orders completed', orders.completed, orders.placed],
    ['captures at the provider', charges['captures'], orders.completed],
    ['orders captured at the provider', charges['orders'], orders.completed],
    ['voids and refunds at the provider', charges['others'], 0],
    ['money captured at the provider', charges['minor'], orders.minor],
    ['payments captured', payments['captured'], orders.completed],
    ['money captured', payments['minor'], orders.minor],
    ['pieces reserved', stock['reserved'], 0],
    // Every order of the benchmark is for one piece of one product.
    ['pieces sold', stock['sold'], orders.completed],
    ['parcels under way', parcels['left'], orders.completed],
    ['mails noted', told['sent'], mails],
    ['mails arrived', byMessageId.size, mails - copied * MAILS_PER_ORDER],
    ['mails that arrived again', repeated, 0],
    ['orders that analytics saw placed', counted['placed'], orders.placed],
    ['orders that analytics saw completed', counted['completed'], orders.completed],
    ['revenue that analytics counted', counted['minor'], orders.minor],
  ];
  const findings = compared
    .filter(([, is, due]) => is !== due)
    .map(([what, is, due]) => `${what}: ${is}, and must be ${due}`);
  return { balance: findings.length === 0, findings, completed: orders.completed };
}

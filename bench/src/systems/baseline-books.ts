import type { BaselineDatabase } from '@millrace/baseline';
import { asked } from '../measure/asked.ts';
import type { Books } from './system.ts';

/** Where the baseline writes down what it does. */
export interface BaselineRecords {
  readonly databases: Readonly<Record<BaselineDatabase, string>>;
  /** How often each mail arrived, by its Message-ID. */
  readonly mails: () => ReadonlyMap<string, number>;
}

interface Figures {
  readonly placed: number;
  readonly completed: number;
  readonly cancelled: number;
  readonly totalMinor: number;
}

// Of an order that was completed: confirmed and dispatched.
const MAILS_PER_ORDER = 2;

// What analytics hears of an order that was completed: four events of it, two of stock, two of money, three of its parcel, two of mails.
const EVENTS_PER_ORDER = 13;

/** What is still under way; undefined when nothing is. A message that was lost is under way for ever. */
export async function baselineUnrest(records: BaselineRecords): Promise<string | undefined> {
  const { placed, completed, cancelled } = await ordersOf(records);
  const open = placed - completed - cancelled;
  if (open > 0) return `${open} orders have not ended`;
  const told = await countOf(records, 'order', 'order_notification');
  if (told < completed * MAILS_PER_ORDER) return `${completed * MAILS_PER_ORDER - told} customers are still to be told`;
  const counted = await heardOf(records);
  if (counted < completed * EVENTS_PER_ORDER) return `${completed * EVENTS_PER_ORDER - counted} events are not counted`;
  const committed = await countOf(records, 'inventory', `reservation WHERE status = 'committed'`);
  return committed < completed ? `${completed - committed} reservations are still held` : undefined;
}

/**
 * Whether nothing was lost and nothing happened twice, in a run in which nobody died and every order could be completed. The baseline
 * does not promise it; a run in which it did not happen counts for nothing.
 */
export async function baselineBooks(records: BaselineRecords, arrived: ReadonlyMap<string, number>): Promise<Books> {
  const orders = await ordersOf(records);
  const { placed, completed, totalMinor } = orders;
  const [charges] = await asked<{ authorized: number; captured: number; amount: number }>(
    records.databases.payment_provider,
    `SELECT count(*) FILTER (WHERE kind = 'authorize')::float8 AS authorized,
            count(*) FILTER (WHERE kind = 'capture')::float8 AS captured,
            coalesce(sum(amount_minor) FILTER (WHERE kind = 'capture'), 0)::float8 AS amount FROM charge`,
  );
  const [figures] = await asked<{ placed: number; completed: number; revenue: number }>(
    records.databases.analytics,
    `SELECT coalesce(sum(placed), 0)::float8 AS placed, coalesce(sum(completed), 0)::float8 AS completed,
            coalesce(sum(revenue_minor), 0)::float8 AS revenue FROM order_minute`,
  );
  const stock = await asked<{ sku: string; on_hand: number; reserved: number }>(
    records.databases.inventory,
    'SELECT sku, on_hand, reserved FROM stock',
  );
  // Every order of the benchmark is for one piece of one product.
  const sold = stock.reduce((sum, { sku, on_hand }) => sum + (arrived.get(sku) ?? 0) - on_hand, 0);
  const mails = records.mails();
  const findings = [
    differs('orders completed', completed, placed),
    differs('authorizations at the provider', charges?.authorized, placed),
    differs('captures at the provider', charges?.captured, completed),
    differs('money captured', charges?.amount, totalMinor),
    differs('payments captured', await countOf(records, 'payment', `payment WHERE status = 'captured'`), completed),
    differs('pieces sold', sold, completed),
    differs(
      'pieces still reserved',
      stock.reduce((sum, { reserved }) => sum + reserved, 0),
      0,
    ),
    differs('parcels delivered', await countOf(records, 'shipping', `shipment WHERE status = 'delivered'`), completed),
    differs('mails noted', await countOf(records, 'notification', 'notification'), completed * MAILS_PER_ORDER),
    differs('different mails that arrived', mails.size, completed * MAILS_PER_ORDER),
    differs('mails that arrived again', [...mails.values()].filter((times) => times > 1).length, 0),
    differs('events counted', await heardOf(records), completed * EVENTS_PER_ORDER),
    differs('orders that analytics saw placed', figures?.placed, placed),
    differs('orders that analytics saw completed', figures?.completed, completed),
    differs('revenue that analytics counted', figures?.revenue, totalMinor),
  ].filter((finding) => finding !== undefined);
  return { balance: findings.length === 0, findings, completed };
}

function differs(what: string, is: number | undefined, due: number): string | undefined {
  return is === due ? undefined : `${what}: ${is}, and must be ${due}`;
}

async function ordersOf({ databases }: BaselineRecords): Promise<Figures> {
  const [row] = await asked<Figures>(
    databases.order,
    `SELECT count(*)::float8 AS placed, count(*) FILTER (WHERE status = 'completed')::float8 AS completed,
            count(*) FILTER (WHERE status = 'cancelled')::float8 AS cancelled,
            coalesce(sum(total_minor) FILTER (WHERE status = 'completed'), 0)::float8 AS "totalMinor" FROM orders`,
  );
  return row ?? { placed: 0, completed: 0, cancelled: 0, totalMinor: 0 };
}

async function heardOf({ databases }: BaselineRecords): Promise<number> {
  const [row] = await asked<{ times: number }>(
    databases.analytics,
    'SELECT coalesce(sum(times), 0)::float8 AS times FROM tally',
  );
  return row?.times ?? 0;
}

async function countOf({ databases }: BaselineRecords, database: BaselineDatabase, rows: string): Promise<number> {
  const [row] = await asked<{ count: number }>(databases[database], `SELECT count(*)::float8 AS count FROM ${rows}`);
  return row?.count ?? 0;
}

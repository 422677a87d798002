import { setTimeout as sleep } from 'node:timers/promises';
import { deadLetterTopics, endsOf, kafkaOf } from '../kafka.ts';
import type { ShopRecords } from '../running-shop.ts';
import { services, type ServiceName } from '../services.ts';
import { rowsOf } from './rows.ts';

export interface OrderAccount {
  readonly orderId: string;
  readonly status: string;
  readonly isConfirmed: boolean;
  readonly totalMinor: bigint;
  readonly currency: string;
  readonly lines: readonly Line[];
}

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

/** One line of the payment provider's ledger. */
export interface Charge {
  readonly orderId: string;
  readonly reference: string;
  readonly kind: string;
  readonly amountMinor: bigint;
}

export interface PaymentAccount {
  readonly orderId: string;
  readonly capturedMinor: bigint;
  readonly refundedMinor: bigint;
}

export interface StockAccount {
  readonly sku: string;
  readonly onHand: number;
  readonly reserved: number;
  /** All that was ever put on the shelf. */
  readonly arrived: number;
}

export interface ShipmentAccount {
  readonly orderId: string;
  readonly status: string;
}

export interface NotificationAccount {
  readonly orderId: string;
  readonly kind: string;
  readonly status: string;
  readonly messageId: string;
  readonly recordedAt: Date;
}

/** What analytics counted, per currency. */
export interface Figures {
  readonly currency: string;
  readonly placed: number;
  readonly completed: number;
  readonly cancelled: number;
  readonly revenueMinor: bigint;
}

/** How often each mail arrived since `since`, by Message-ID without its brackets and domain. */
export interface MailAccount {
  readonly since: Date;
  readonly arrivals: ReadonlyMap<string, number>;
}

/** What is written down about orders, each part from its own book. */
export interface OrderBooks {
  readonly orders: readonly OrderAccount[];
  readonly charges: readonly Charge[];
  readonly payments: readonly PaymentAccount[];
  readonly shipments: readonly ShipmentAccount[];
  readonly notifications: readonly NotificationAccount[];
  readonly mails: MailAccount;
}

/** Everything the shop has written down. */
export interface Accounts extends OrderBooks {
  readonly stock: readonly StockAccount[];
  readonly figures: readonly Figures[];
  /** Messages that are not sent yet. */
  readonly outboxes: Readonly<Record<ServiceName, number>>;
  /** Messages that wait to be tried again, or for a person. */
  readonly parked: Readonly<Record<ServiceName, number>>;
  /** Dead letters by topic; only topics that have some. */
  readonly deadLetters: ReadonlyMap<string, number>;
}

/** Reads all books of a shop. They are books of one moment only while nothing happens in it. */
export async function readAccounts(shop: ShopRecords): Promise<Accounts> {
  const [books, stock, figures, outboxes, parked, deadLetters] = await Promise.all([
    readOrderBooks(shop),
    rowsOf<StockAccount>(
      shop,
      'inventory',
      `SELECT sku, on_hand AS "onHand", reserved, coalesce(sum(added), 0)::int AS arrived
       FROM stock LEFT JOIN restock USING (sku) GROUP BY sku, on_hand, reserved`,
    ),
    rowsOf<Figures>(
      shop,
      'analytics',
      `SELECT currency, sum(placed)::int AS placed, sum(completed)::int AS completed, sum(cancelled)::int AS cancelled,
         sum(revenue_minor)::bigint AS "revenueMinor"
       FROM order_minute GROUP BY currency`,
    ),
    readEmptiedOutboxes(shop),
    readParked(shop),
    readDeadLetters(shop),
  ]);
  return { ...books, stock, figures, outboxes, parked, deadLetters };
}

async function readOrderBooks(shop: ShopRecords): Promise<OrderBooks> {
  const [accounts, notifications] = await Promise.all([readOrderAccounts(shop), readNotifications(shop)]);
  // After what was noted, or a mail that was noted in between would be missed.
  return { ...accounts, notifications, mails: await readMails(shop) };
}

/** Reads what is written down about these orders, or about all, except what their customers were told. */
export async function readOrderAccounts(
  shop: ShopRecords,
  orderIds?: readonly string[],
): Promise<Omit<OrderBooks, 'notifications' | 'mails'>> {
  const { these, parameters } = only(orderIds);
  const [orders, charges, payments, shipments] = await Promise.all([
    rowsOf<OrderAccount>(
      shop,
      'order',
      `SELECT order_id AS "orderId", status, confirmed_at IS NOT NULL AS "isConfirmed", total_minor AS "totalMinor", currency, lines
       FROM orders JOIN checkouts USING (order_id) ${these}`,
      parameters,
    ),
    rowsOf<Charge>(
      shop,
      'payment_provider',
      `SELECT order_id AS "orderId", reference, kind, amount_minor AS "amountMinor" FROM charge ${these} ORDER BY id`,
      parameters,
    ),
    rowsOf<PaymentAccount>(
      shop,
      'payment',
      `SELECT order_id AS "orderId", captured_minor AS "capturedMinor", refunded_minor AS "refundedMinor" FROM payment ${these}`,
      parameters,
    ),
    rowsOf<ShipmentAccount>(
      shop,
      'shipping',
      `SELECT order_id AS "orderId", status FROM shipment ${these}`,
      parameters,
    ),
  ]);
  return { orders, charges, payments, shipments };
}

/** Reads what the customers of these orders were told, or of all. */
export async function readNotifications(
  shop: ShopRecords,
  orderIds?: readonly string[],
): Promise<readonly NotificationAccount[]> {
  const { these, parameters } = only(orderIds);
  return rowsOf<NotificationAccount>(
    shop,
    'notification',
    `SELECT order_id AS "orderId", kind, status, message_id AS "messageId", recorded_at AS "recordedAt" FROM notification ${these}`,
    parameters,
  );
}

function only(orderIds: readonly string[] | undefined): { these: string; parameters: readonly unknown[] } {
  if (orderIds === undefined) return { these: '', parameters: [] };
  return { these: 'WHERE order_id = ANY($1::uuid[])', parameters: [orderIds] };
}

/** How many messages wait in each service's outbox. */
export function readOutboxes(shop: ShopRecords): Promise<Record<ServiceName, number>> {
  return countOf(shop, 'messaging.outbox');
}

/** How many messages of each service wait to be tried again, or for a person. */
export function readParked(shop: ShopRecords): Promise<Record<ServiceName, number>> {
  return countOf(shop, 'messaging.parked_message');
}

async function countOf(shop: ShopRecords, table: string): Promise<Record<ServiceName, number>> {
  const counts = await Promise.all(
    services.map(async (service) => {
      const [row] = await rowsOf<{ count: number }>(shop, service, `SELECT count(*)::int AS count FROM ${table}`);
      return [service, row?.count ?? 0] as const;
    }),
  );
  return Object.fromEntries(counts) as Record<ServiceName, number>;
}

// Parcels are delivered long after their order ended, so a message may pass through an outbox at any moment. What is there
// for this long is stuck.
const PASSING_MS = 5_000;

async function readEmptiedOutboxes(shop: ShopRecords): Promise<Record<ServiceName, number>> {
  for (const end = Date.now() + PASSING_MS; ; await sleep(20)) {
    const outboxes = await readOutboxes(shop);
    if (Date.now() > end || Object.values(outboxes).every((count) => count === 0)) return outboxes;
  }
}

/** How many orders have not ended. */
export async function countOpenOrders(shop: ShopRecords): Promise<number> {
  const open = `SELECT count(*)::int AS count FROM checkouts WHERE status NOT IN ('completed', 'cancelled')`;
  const [row] = await rowsOf<{ count: number }>(shop, 'order', open);
  return row?.count ?? 0;
}

async function readDeadLetters(shop: ShopRecords): Promise<Map<string, number>> {
  const admin = kafkaOf(shop.brokers).admin();
  await admin.connect();
  try {
    const counts = new Map<string, number>();
    for (const [topic, partitions] of await endsOf(admin, deadLetterTopics)) {
      const count = [...partitions.values()].reduce((sum, { high, low }) => sum + high - low, 0);
      if (count > 0) counts.set(topic, count);
    }
    return counts;
  } finally {
    await admin.disconnect();
  }
}

/** Reads all mails that the mail server still has. */
export async function readMails(shop: ShopRecords): Promise<MailAccount> {
  const { since, byMessageId } = await shop.mailbox.arrivals();
  const entries = [...byMessageId].map(([messageId, times]) => [messageId.replace(/^<|@.*$/g, ''), times] as const);
  return { since, arrivals: new Map(entries) };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Client, types as pgTypes, type CustomTypesConfig } from 'pg';
import { kafkaOf, shopTopics } from '../shop/prepare-topics.ts';
import { services, type DatabaseName, type ServiceName } from '../shop/services.ts';
import type { Shop } from '../shop.ts';

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

/** Everything the shop has written down, each part from its own book. */
export interface Accounts {
  readonly orders: readonly OrderAccount[];
  readonly charges: readonly Charge[];
  readonly payments: readonly PaymentAccount[];
  readonly stock: readonly StockAccount[];
  readonly shipments: readonly ShipmentAccount[];
  readonly notifications: readonly NotificationAccount[];
  readonly mails: MailAccount;
  readonly figures: readonly Figures[];
  /** Messages that are not sent yet. */
  readonly outboxes: Readonly<Record<ServiceName, number>>;
  /** Dead letters by topic; only topics that have some. */
  readonly deadLetters: ReadonlyMap<string, number>;
}

/** Reads all books of a shop. They are books of one moment only while nothing happens in it. */
export async function readAccounts(shop: Shop): Promise<Accounts> {
  const [orders, charges, payments, stock, shipments, notifications, figures, outboxes, deadLetters] =
    await Promise.all([
      rowsOf<OrderAccount>(
        shop,
        'order',
        `SELECT order_id AS "orderId", status, confirmed_at IS NOT NULL AS "isConfirmed", total_minor AS "totalMinor", currency, lines
       FROM orders JOIN checkouts USING (order_id)`,
      ),
      rowsOf<Charge>(
        shop,
        'payment_provider',
        'SELECT order_id AS "orderId", reference, kind, amount_minor AS "amountMinor" FROM charge ORDER BY id',
      ),
      rowsOf<PaymentAccount>(
        shop,
        'payment',
        'SELECT order_id AS "orderId", captured_minor AS "capturedMinor", refunded_minor AS "refundedMinor" FROM payment',
      ),
      rowsOf<StockAccount>(
        shop,
        'inventory',
        `SELECT sku, on_hand AS "onHand", reserved, coalesce(sum(added), 0)::int AS arrived
       FROM stock LEFT JOIN restock USING (sku) GROUP BY sku, on_hand, reserved`,
      ),
      rowsOf<ShipmentAccount>(shop, 'shipping', 'SELECT order_id AS "orderId", status FROM shipment'),
      rowsOf<NotificationAccount>(
        shop,
        'notification',
        `SELECT order_id AS "orderId", kind, status, message_id AS "messageId", recorded_at AS "recordedAt" FROM notification`,
      ),
      rowsOf<Figures>(
        shop,
        'analytics',
        `SELECT currency, sum(placed)::int AS placed, sum(completed)::int AS completed, sum(cancelled)::int AS cancelled,
         sum(revenue_minor)::bigint AS "revenueMinor"
       FROM order_minute GROUP BY currency`,
      ),
      readEmptiedOutboxes(shop),
      readDeadLetters(shop),
    ]);
  const mails = { since: shop.startedAt, arrivals: arrivalsById(shop) };
  return { orders, charges, payments, stock, shipments, notifications, mails, figures, outboxes, deadLetters };
}

/** How many messages wait in each service's outbox. */
export async function readOutboxes(shop: Shop): Promise<Record<ServiceName, number>> {
  const counts = await Promise.all(
    services.map(async (service) => {
      const [row] = await rowsOf<{ count: number }>(
        shop,
        service,
        'SELECT count(*)::int AS count FROM messaging.outbox',
      );
      return [service, row?.count ?? 0] as const;
    }),
  );
  return Object.fromEntries(counts) as Record<ServiceName, number>;
}

// Parcels are delivered long after their order ended, so a message may pass through an outbox at any moment. What is there
// for this long is stuck.
const PASSING_MS = 5_000;

async function readEmptiedOutboxes(shop: Shop): Promise<Record<ServiceName, number>> {
  for (const end = Date.now() + PASSING_MS; ; await sleep(20)) {
    const outboxes = await readOutboxes(shop);
    if (Date.now() > end || Object.values(outboxes).every((count) => count === 0)) return outboxes;
  }
}

/** How many orders have not ended. */
export async function countOpenOrders(shop: Shop): Promise<number> {
  const open = `SELECT count(*)::int AS count FROM checkouts WHERE status NOT IN ('completed', 'cancelled')`;
  const [row] = await rowsOf<{ count: number }>(shop, 'order', open);
  return row?.count ?? 0;
}

async function readDeadLetters(shop: Shop): Promise<Map<string, number>> {
  const admin = kafkaOf(shop.brokers).admin();
  await admin.connect();
  try {
    const topics = shopTopics.map(({ name }) => name).filter((name) => name.endsWith('.dlq'));
    const counts = await Promise.all(
      topics.map(async (topic) => {
        const partitions = await admin.fetchTopicOffsets(topic);
        return [topic, partitions.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0)] as const;
      }),
    );
    return new Map(counts.filter(([, count]) => count > 0));
  } finally {
    await admin.disconnect();
  }
}

function arrivalsById(shop: Shop): Map<string, number> {
  const arrivals = new Map<string, number>();
  for (const [messageId, times] of shop.mailSink.arrivals()) {
    arrivals.set(messageId.replace(/^<|@.*$/g, ''), times);
  }
  return arrivals;
}

const BIGINT_OID = 20;

// Amounts are counted in bigint, which pg would hand out as text.
const types: CustomTypesConfig = {
  getTypeParser: (oid: number) => (oid === BIGINT_OID ? BigInt : pgTypes.getTypeParser(oid)),
};

async function rowsOf<Row extends object>(shop: Shop, database: DatabaseName, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: shop.postgres.url(database), types });
  client.on('error', () => {}); // a connection that breaks makes the query fail
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

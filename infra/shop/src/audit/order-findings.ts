import type { MailAccount, NotificationAccount, OrderBooks } from '../books/accounts.ts';
import { orderRules } from '../books/rules.ts';
import type { Finding } from './findings.ts';

// So many orders are read at a time, so that the memory stays bounded: all that is kept of all is what customers were told.
const ORDERS_AT_A_TIME = 5_000;

/** Where the books of orders are read. */
export interface OrderReader {
  notifications(orderIds: readonly string[]): Promise<readonly NotificationAccount[]>;
  mails(): Promise<MailAccount>;
  accounts(orderIds: readonly string[]): Promise<Omit<OrderBooks, 'notifications' | 'mails'>>;
}

/** Judges these orders; an entry per order that something is wrong with. The mails are read once, however many orders. */
export async function wrongOrders(
  orderIds: readonly string[],
  reader: OrderReader,
  ordersAtATime: number = ORDERS_AT_A_TIME,
): Promise<ReadonlyMap<string, readonly Finding[]>> {
  const wrong = new Map<string, readonly Finding[]>();
  if (orderIds.length === 0) return wrong;
  const noted: { readonly ids: readonly string[]; readonly notifications: readonly NotificationAccount[] }[] = [];
  for (let from = 0; from < orderIds.length; from += ordersAtATime) {
    const ids = orderIds.slice(from, from + ordersAtATime);
    noted.push({ ids, notifications: await reader.notifications(ids) });
  }
  // After all that was noted, or a mail that was noted in between would be missed.
  const mails = await reader.mails();
  for (const { ids, notifications } of noted) {
    const books = { ...(await reader.accounts(ids)), notifications, mails };
    for (const [orderId, findings] of findingsPerOrder(books)) wrong.set(orderId, findings);
  }
  return wrong;
}

/** Judges each order by itself; an entry per order that something is wrong with. */
export function findingsPerOrder(books: OrderBooks): ReadonlyMap<string, readonly Finding[]> {
  const of = <T extends { readonly orderId: string }>(entries: readonly T[]) =>
    Map.groupBy(entries, ({ orderId }) => orderId);
  const charges = of(books.charges);
  const payments = of(books.payments);
  const shipments = of(books.shipments);
  const notifications = of(books.notifications);
  const wrong = new Map<string, readonly Finding[]>();
  for (const order of books.orders) {
    const { orderId } = order;
    const told = notifications.get(orderId) ?? [];
    const ofThisOrder: OrderBooks = {
      orders: [order],
      charges: charges.get(orderId) ?? [],
      payments: payments.get(orderId) ?? [],
      shipments: shipments.get(orderId) ?? [],
      notifications: told,
      mails: { since: books.mails.since, arrivals: arrivalsOf(told, books) },
    };
    const findings = orderRules.flatMap((rule) =>
      rule.findings(ofThisOrder).map((sentence) => ({ slug: rule.slug, sentence })),
    );
    if (findings.length > 0) wrong.set(orderId, findings);
  }
  return wrong;
}

function arrivalsOf(told: OrderBooks['notifications'], { mails }: OrderBooks): Map<string, number> {
  return new Map(
    told.flatMap(({ messageId }) => {
      const times = mails.arrivals.get(messageId);
      return times === undefined ? [] : [[messageId, times] as const];
    }),
  );
}

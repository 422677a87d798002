import type { OrderBooks } from '../books/accounts.ts';
import { orderRules } from '../books/rules.ts';
import type { Finding } from './findings.ts';

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

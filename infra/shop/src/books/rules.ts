import type { Accounts, Charge, OrderAccount, OrderBooks } from './accounts.ts';

/** What must be true of the books of a shop in which nothing happens any more. */
export interface Rule<Books = Accounts> {
  /** For machines: short, and the same for ever. */
  readonly slug: string;
  readonly name: string;
  /** What is not as it must be: one sentence each, which names the order or product; none when the rule holds. */
  findings(books: Books): string[];
}

const ENDED = new Set(['completed', 'cancelled']);
const SHIPPED = new Set(['dispatched', 'delivered']);

const everyOrderEnded: Rule = {
  slug: 'every-order-ended',
  name: 'every order ended: completed or cancelled',
  findings: ({ orders }) =>
    orders.filter(({ status }) => !ENDED.has(status)).map(({ orderId, status }) => `order ${orderId} is ${status}`),
};

const chargedOnceForWhatWasShipped: Rule<OrderBooks> = {
  slug: 'charged-once',
  name: 'the provider holds the total of each completed order, captured once, and nothing else',
  findings({ orders, charges }) {
    const chargesOf = groupBy(charges, ({ orderId }) => orderId);
    const findings = orders.flatMap((order) => {
      const captures = (chargesOf.get(order.orderId) ?? []).filter(({ kind }) => kind === 'capture').length;
      const paid = netOf(chargesOf.get(order.orderId) ?? []);
      const due = order.status === 'completed' ? order.totalMinor : 0n;
      return [
        ...(paid === due ? [] : [`order ${order.orderId} (${order.status}) has paid ${paid}, and owes ${due}`]),
        ...(captures <= 1 ? [] : [`order ${order.orderId} was captured ${captures} times`]),
      ];
    });
    const known = new Set(orders.map(({ orderId }) => orderId));
    const unknown = [...chargesOf.keys()].filter((orderId) => !known.has(orderId));
    return [...findings, ...unknown.map((orderId) => `the provider has charges of an unknown order ${orderId}`)];
  },
};

const noMoneyLeftHeld: Rule<OrderBooks> = {
  slug: 'no-money-held',
  name: 'no authorization is left open on an order that ended',
  findings({ orders, charges }) {
    const ended = new Set(orders.filter(({ status }) => ENDED.has(status)).map(({ orderId }) => orderId));
    return [...groupBy(charges, ({ reference }) => reference)].flatMap(([reference, entries]) => {
      const kinds = new Set(entries.map(({ kind }) => kind));
      const isOpen = kinds.has('authorize') && !kinds.has('capture') && !kinds.has('void');
      const [{ orderId }] = entries;
      return isOpen && ended.has(orderId) ? [`${reference} of order ${orderId} is authorized still`] : [];
    });
  },
};

const paymentServiceAgreesWithProvider: Rule<OrderBooks> = {
  slug: 'payments-agree',
  name: "the payment service's books agree with the provider's",
  findings({ payments, charges }) {
    const sums = (kind: string) =>
      sumBy(
        charges.filter((charge) => charge.kind === kind),
        ({ orderId }) => orderId,
        ({ amountMinor }) => amountMinor,
      );
    const captured = sums('capture');
    const refunded = sums('refund');
    const ours = new Map(payments.map((payment) => [payment.orderId, payment]));
    const all = new Set([...ours.keys(), ...captured.keys(), ...refunded.keys()]);
    return [...all].flatMap((orderId) => {
      const mine = ours.get(orderId);
      const here = `${mine?.capturedMinor ?? 0n} captured, ${mine?.refundedMinor ?? 0n} refunded`;
      const there = `${captured.get(orderId) ?? 0n} captured, ${refunded.get(orderId) ?? 0n} refunded`;
      return here === there ? [] : [`order ${orderId}: ${here} here; ${there} at the provider`];
    });
  },
};

const stockAddsUp: Rule = {
  slug: 'stock-adds-up',
  name: 'what arrived is on the shelf or left with a completed order, and nothing is reserved',
  findings({ orders, stock }) {
    const sold = unitsSold(orders);
    const known = new Set(stock.map(({ sku }) => sku));
    const findings = stock.flatMap(({ sku, onHand, reserved, arrived }) => {
      const left = sold.get(sku) ?? 0n;
      return [
        ...(BigInt(onHand) + left === BigInt(arrived)
          ? []
          : [`${sku}: ${onHand} on the shelf and ${left} sold, of ${arrived}`]),
        ...(reserved === 0 ? [] : [`${sku}: ${reserved} reserved still`]),
      ];
    });
    return [
      ...findings,
      ...[...sold.keys()].filter((sku) => !known.has(sku)).map((sku) => `${sku} was sold and never stocked`),
    ];
  },
};

const shippedIfCompleted: Rule<OrderBooks> = {
  slug: 'shipped-once',
  name: 'one parcel left for each completed order, none for a cancelled one',
  findings({ orders, shipments }) {
    const shipped = new Map<string, number>();
    for (const { orderId, status } of shipments) {
      if (SHIPPED.has(status)) shipped.set(orderId, (shipped.get(orderId) ?? 0) + 1);
    }
    return orders.flatMap(({ orderId, status }) => {
      const parcels = shipped.get(orderId) ?? 0;
      const due = status === 'completed' ? 1 : 0;
      return parcels === due ? [] : [`order ${orderId} (${status}) has ${parcels} parcels under way`];
    });
  },
};

/** The one rule that a crash may break. */
export const NO_MAIL_REPEATED = 'no mail arrived twice';

/** `told`: how a notification ends by which its customer counts as told. */
const toldOnce = (name: string, told: readonly string[]): Rule<OrderBooks> => ({
  slug: 'told-once',
  name,
  findings({ orders, notifications, mails }) {
    const notificationsOf = groupBy(notifications, ({ orderId }) => orderId);
    const wrongly = orders.flatMap((order) => {
      const due = dueNotifications(order).join(', ');
      const ended = (notificationsOf.get(order.orderId) ?? []).filter(({ status }) => told.includes(status));
      const is = ended
        .map(({ kind }) => kind)
        .toSorted()
        .join(', ');
      return is === due ? [] : [`the customer of order ${order.orderId} was told: ${is || 'nothing'}; due: ${due}`];
    });
    const ids = new Set(notifications.map(({ messageId }) => messageId));
    const missing = notifications.flatMap(({ messageId, orderId, kind, status, recordedAt }) =>
      status !== 'sent' || recordedAt < mails.since || mails.arrivals.has(messageId)
        ? []
        : [`the mail ${kind} of order ${orderId} never arrived`],
    );
    const unknown = [...mails.arrivals.keys()]
      .filter((id) => !ids.has(id))
      .map((id) => `a mail ${id} was sent and not noted`);
    return [...wrongly, ...missing, ...unknown];
  },
});

const everyoneToldOnce = toldOnce('each customer was told each thing once', ['sent']);

// In an open shop customers mistype their addresses: a mail server that refuses one is an outcome, and no fault of the shop.
const toldOnceOrRefused = toldOnce('each customer was told each thing once, or has an address that takes no mail', [
  'sent',
  'failed',
]);

/**
 * SMTP knows no idempotency: a process that dies, or loses its partition, between the mail server's OK and its own record sends the mail
 * again, under the same Message-ID. In a shop in which nobody dies every mail arrives once.
 */
const noMailRepeated: Rule<OrderBooks> = {
  slug: 'no-mail-repeated',
  name: NO_MAIL_REPEATED,
  findings: ({ mails }) =>
    [...mails.arrivals].flatMap(([id, times]) => (times === 1 ? [] : [`the mail ${id} arrived ${times} times`])),
};

const nothingUnsent: Rule = {
  slug: 'nothing-unsent',
  name: 'nothing waits to be sent',
  findings: ({ outboxes }) =>
    Object.entries(outboxes).flatMap(([service, count]) =>
      count === 0 ? [] : [`${count} messages wait in the outbox of ${service}`],
    ),
};

const nothingParked: Rule = {
  slug: 'nothing-parked',
  name: 'no message waits to be tried again',
  findings: ({ parked }) =>
    Object.entries(parked).flatMap(([service, count]) =>
      count === 0 ? [] : [`${count} messages of ${service} wait to be tried again, or for a person`],
    ),
};

const noDeadLetters: Rule = {
  slug: 'no-dead-letters',
  name: 'there are no dead letters',
  findings: ({ deadLetters }) => [...deadLetters].map(([topic, count]) => `${topic} holds ${count}`),
};

const analyticsAgrees: Rule = {
  slug: 'analytics-agrees',
  name: 'analytics counted every order and its revenue',
  findings({ orders, figures }) {
    const counted = new Map(figures.map((one) => [one.currency, one]));
    const byCurrency = groupBy(orders, ({ currency }) => currency);
    return [...new Set([...byCurrency.keys(), ...counted.keys()])].flatMap((currency) => {
      const mine = byCurrency.get(currency) ?? [];
      const completed = mine.filter(({ status }) => status === 'completed');
      const cancelled = mine.filter(({ status }) => status === 'cancelled').length;
      const revenue = completed.reduce((sum, { totalMinor }) => sum + totalMinor, 0n);
      const is = counted.get(currency);
      const due = textOf(mine.length, completed.length, cancelled, revenue);
      const found = textOf(is?.placed ?? 0, is?.completed ?? 0, is?.cancelled ?? 0, is?.revenueMinor ?? 0n);
      return found === due ? [] : [`${currency}: counted ${found}; there are ${due}`];
    });
  },
};

/**
 * The rules that can be judged for some orders at a time, as soon as these have ended, while others are under way. Not that
 * mails are not repeated: a crash may do that, and it cannot be made right.
 */
export const orderRules: readonly Rule<OrderBooks>[] = [
  chargedOnceForWhatWasShipped,
  noMoneyLeftHeld,
  paymentServiceAgreesWithProvider,
  shippedIfCompleted,
  toldOnceOrRefused,
];

/** Every rule, in the order in which an order meets them. */
export const rules: readonly Rule[] = [
  everyOrderEnded,
  chargedOnceForWhatWasShipped,
  noMoneyLeftHeld,
  paymentServiceAgreesWithProvider,
  stockAddsUp,
  shippedIfCompleted,
  everyoneToldOnce,
  noMailRepeated,
  nothingUnsent,
  nothingParked,
  noDeadLetters,
  analyticsAgrees,
];

/** What the customer of an order has to be told, sorted. */
function dueNotifications({ status, isConfirmed }: OrderAccount): string[] {
  const due = isConfirmed ? ['order-confirmed'] : [];
  if (status === 'cancelled') due.push('order-cancelled');
  if (status === 'completed' || status === 'dispatched') due.push('order-dispatched');
  return due.toSorted();
}

function unitsSold(orders: readonly OrderAccount[]): Map<string, bigint> {
  const lines = orders.filter(({ status }) => status === 'completed').flatMap((order) => order.lines);
  return sumBy(
    lines,
    ({ sku }) => sku,
    ({ quantity }) => BigInt(quantity),
  );
}

function netOf(charges: readonly Charge[]): bigint {
  return charges.reduce((sum, { kind, amountMinor }) => {
    if (kind === 'capture') return sum + amountMinor;
    return kind === 'refund' ? sum - amountMinor : sum;
  }, 0n);
}

function textOf(placed: number, completed: number, cancelled: number, revenueMinor: bigint): string {
  return `${placed} placed, ${completed} completed, ${cancelled} cancelled, revenue ${revenueMinor}`;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, [T, ...T[]]> {
  return Map.groupBy(items, keyOf) as Map<string, [T, ...T[]]>;
}

function sumBy<T>(items: readonly T[], keyOf: (item: T) => string, amountOf: (item: T) => bigint): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const item of items) sums.set(keyOf(item), (sums.get(keyOf(item)) ?? 0n) + amountOf(item));
  return sums;
}

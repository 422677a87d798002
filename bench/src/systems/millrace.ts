import { join } from 'node:path';
import { NotificationSent, OrderCancelled, OrderCompleted, OrderConfirmed, topics } from '@millrace/contracts';
import { type Shop, type ShopOptions, startShop } from '@millrace/embedded';
import { checkBooks, services, waitForEnd } from '@millrace/shop';
import { type Milestone, type OrderEvents, processesOf, type System, type SystemOptions } from './system.ts';

/** The shop of this repository. `shop` is for phases that end services and start them again. */
export interface Millrace extends System {
  readonly shop: Shop;
}

export interface MillraceOptions extends SystemOptions {
  readonly replicas?: NonNullable<ShopOptions['replicas']>;
  /** Rules of the books that this run may break, by their names, with a reason where it is said. */
  readonly forgives?: readonly string[];
}

const milestones: Readonly<Record<string, Milestone>> = {
  [OrderConfirmed.wireType]: 'confirmed',
  [OrderCompleted.wireType]: 'shipped',
  [NotificationSent.wireType]: 'told',
  [OrderCancelled.wireType]: 'cancelled',
};

const events: OrderEvents = {
  topics: [topics.orderEvents.name, topics.notificationEvents.name],
  milestoneOf: (_topic, type) => milestones[type ?? ''],
};

// So much that the benchmark never sells out.
const CATALOG = join(import.meta.dirname, '..', '..', 'catalog.json');

// A service that is away for minutes is what is measured; a checkout must not give up meanwhile.
const PATIENT = {
  CHECKOUT_STOCK_DEADLINE_MS: '3600000',
  CHECKOUT_PAYMENT_DEADLINE_MS: '3600000',
  CHECKOUT_CAPTURE_DEADLINE_MS: '3600000',
};

// The benchmark measures the shop, not the drive. The carrier of the baseline is in the same hurry.
const AT_ONCE = { CARRIER_DISPATCH_AFTER_MS: '0', CARRIER_DELIVER_AFTER_MS: '0' };

// A mail takes some round trips between two busy processes. What the baseline has.
const MANY_MAILS = { SMTP_CONNECTIONS: '100' };

export async function startMillrace({
  dir,
  say,
  env = () => ({}),
  replicas,
  forgives = [],
}: MillraceOptions): Promise<Millrace> {
  const own: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    order: PATIENT,
    shipping: AT_ONCE,
    notification: MANY_MAILS,
  };
  const shop = await startShop({
    dir,
    seed: CATALOG,
    logLevel: 'warn',
    log: say,
    ...(replicas === undefined ? {} : { replicas }),
    env: Object.fromEntries(services.map((service) => [service, { ...own[service], ...env(service) }])),
  });
  return {
    name: 'millrace',
    dir,
    shop,
    orderUrl: shop.urls.order,
    brokers: shop.brokers,
    postgresUrl: shop.postgres.superuserUrl,
    events,
    processes: () => [
      ...processesOf(Object.values(shop.services).flat()),
      { name: 'kafka', pid: shop.kafka.nodes[0]?.pid ?? 0 },
      { name: 'postgres', pid: shop.postgres.pid },
    ],
    settled: (timeoutMs = 120_000) => waitForEnd(shop, { timeoutMs }),
    async books() {
      const { verdicts, orders } = await checkBooks(shop);
      const findings = verdicts
        .filter(({ rule, holds }) => !holds && !forgives.includes(rule))
        .map(({ rule, findings: sentences, total }) => `${rule}: ${sentences.join('; ')} (${total} in all)`);
      return { balance: findings.length === 0, findings, completed: orders.completed };
    },
    stop: () => shop.stop(),
  };
}

/** The services of the shop, in the order in which an order meets them. */
export const services = ['order', 'inventory', 'payment', 'shipping', 'notification', 'analytics'] as const;
export type ServiceName = (typeof services)[number];

/** Every database of the shop: one per service, and the books of the in-process payment provider, which no service's role can reach. */
export const databases = [...services, 'payment_provider'] as const;
export type DatabaseName = (typeof databases)[number];

/** Every consumer group of the shop, and the topics that it hears. */
export const topicsHeard: Readonly<Record<string, readonly string[]>> = {
  'order.checkout': ['inventory.events.v1', 'payment.events.v1', 'shipping.events.v1'],
  'order.timeline': ['notification.events.v1'],
  'order.prices': ['catalog.events.v1'],
  'inventory.stock': ['inventory.commands.v1'],
  'payment.payments': ['payment.commands.v1'],
  'shipping.shipments': ['shipping.commands.v1'],
  'notification.order-emails': ['order.events.v1'],
  'analytics.shop': [
    'order.events.v1',
    'inventory.events.v1',
    'catalog.events.v1',
    'payment.events.v1',
    'shipping.events.v1',
    'notification.events.v1',
  ],
};

/** Each has a dead-letter topic. */
export const consumerGroups: readonly string[] = Object.keys(topicsHeard);

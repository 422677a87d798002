import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The services of the shop, in the order in which an order meets them. */
export const services = ['order', 'inventory', 'payment', 'shipping', 'notification', 'analytics'] as const;
export type ServiceName = (typeof services)[number];

/** Every database of the shop: one per service, and the books of the in-process payment provider, which no service's role can reach. */
export const databases = [...services, 'payment_provider'] as const;
export type DatabaseName = (typeof databases)[number];

/** Every consumer group of the shop; each has a dead-letter topic. */
export const consumerGroups = [
  'order.checkout',
  'order.timeline',
  'order.prices',
  'inventory.stock',
  'payment.payments',
  'shipping.shipments',
  'notification.order-emails',
  'analytics.shop',
] as const;

const appsFolder = join(import.meta.dirname, '..', '..', '..', '..', 'apps');

/** Where a service lives in the repository. */
export function serviceFolder(service: ServiceName): string {
  return join(appsFolder, service);
}

/** A built entry of a service, such as `main` or `seed`. Throws with what to do when it was not built. */
export function serviceEntry(service: ServiceName, entry: string): string {
  const file = join(serviceFolder(service), 'dist', `${entry}.js`);
  if (!existsSync(file))
    throw new Error(`${file} is missing: the ${service} service is not built. Run: npx -y pnpm@12 build`);
  return file;
}

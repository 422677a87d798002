import { join } from 'node:path';

/** The services of the baseline, in the order in which an order meets them. */
export const baselineServices = ['order', 'inventory', 'payment', 'shipping', 'notification', 'analytics'] as const;
export type BaselineService = (typeof baselineServices)[number];

/** One per service, and the payment provider's books. */
export const baselineDatabases = [...baselineServices, 'payment_provider'] as const;
export type BaselineDatabase = (typeof baselineDatabases)[number];

export { baselineTopics } from './messages.ts';

/** Where `prisma/` and `dist/` are. */
export const baselineFolder = join(import.meta.dirname, '..');

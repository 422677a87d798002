import { z } from 'zod';

/** What a customer is told about an order, each at most once. */
export const NotificationKind = z.enum(['order-confirmed', 'order-cancelled', 'order-dispatched']);
export type NotificationKind = z.infer<typeof NotificationKind>;

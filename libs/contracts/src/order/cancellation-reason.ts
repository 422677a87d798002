import { z } from 'zod';

/** Why an order ended without delivery. */
export const CancellationReason = z.enum([
  'out-of-stock',
  'payment-declined',
  'shipment-refused',
  'customer-request',
  'timed-out',
  'stock-hold-expired',
]);
export type CancellationReason = z.infer<typeof CancellationReason>;

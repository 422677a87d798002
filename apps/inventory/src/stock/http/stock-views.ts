import { OrderId, Sku } from '@millrace/contracts';
import { z } from 'zod';
import { availableOf, type StockItem } from '../domain/stock-item.ts';

/** The stock of a product as people see it. */
export const StockView = z.object({
  sku: Sku,
  onHand: z.int().nonnegative().describe('on the shelf'),
  reserved: z.int().nonnegative().describe('of those, held for orders'),
  available: z.int().nonnegative().describe('of those, free to be held'),
});
export type StockView = z.infer<typeof StockView>;

/** The reservation of an order as people see it. */
export const ReservationView = z.object({
  orderId: OrderId,
  status: z.enum(['held', 'released', 'expired', 'committed', 'rejected']),
  lines: z.array(z.object({ sku: Sku, quantity: z.int().positive() })).describe('empty when nothing was ever held'),
  heldUntil: z.iso.datetime().optional().describe('only while it is held'),
  missing: z
    .array(z.object({ sku: Sku, requested: z.int(), available: z.int() }))
    .optional()
    .describe('only when it was rejected: what there was too little of'),
});
export type ReservationView = z.infer<typeof ReservationView>;

export function stockViewOf({ sku, onHand, reserved }: StockItem): StockView {
  return { sku, onHand, reserved, available: availableOf({ sku, onHand, reserved }) };
}

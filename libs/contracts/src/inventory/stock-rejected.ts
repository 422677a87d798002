import { z } from 'zod';
import { OrderId, Sku } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { topics } from '../topics.ts';

export const StockRejected = defineMessage({
  type: 'StockRejected',
  version: 1,
  topic: topics.inventoryEvents,
  key: 'orderId',
  meaning: 'Not all lines could be held, so none is.',
  schema: z.object({
    orderId: OrderId,
    missing: z.array(z.object({ sku: Sku, requested: z.int().positive(), available: z.int().nonnegative() })),
  }),
});

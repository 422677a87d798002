import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { Quantities } from '../order/order-parts.ts';
import { topics } from '../topics.ts';

export const StockCommitted = defineMessage({
  type: 'StockCommitted',
  version: 1,
  topic: topics.inventoryEvents,
  key: 'orderId',
  meaning: 'What was held for the order has left the shelf.',
  schema: z.object({
    orderId: OrderId,
    lines: Quantities,
  }),
});

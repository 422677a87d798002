import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { Quantities } from '../order/order-parts.ts';
import { topics } from '../topics.ts';

export const StockReserved = defineMessage({
  type: 'StockReserved',
  version: 1,
  topic: topics.inventoryEvents,
  key: 'orderId',
  meaning: 'All lines of the order are held until the given time.',
  schema: z.object({
    orderId: OrderId,
    lines: Quantities,
    heldUntil: z.iso.datetime(),
  }),
});

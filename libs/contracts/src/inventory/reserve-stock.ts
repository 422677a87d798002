import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { Quantities } from '../order/order-parts.ts';
import { topics } from '../topics.ts';

export const ReserveStock = defineMessage({
  type: 'ReserveStock',
  version: 1,
  topic: topics.inventoryCommands,
  key: 'orderId',
  meaning: 'Hold all lines of an order, or none of them.',
  schema: z.object({
    orderId: OrderId,
    lines: Quantities,
  }),
});

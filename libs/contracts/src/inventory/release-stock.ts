import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { topics } from '../topics.ts';

export const ReleaseStock = defineMessage({
  type: 'ReleaseStock',
  version: 1,
  topic: topics.inventoryCommands,
  key: 'orderId',
  meaning: 'Give back what is held for an order, also when nothing ever was.',
  schema: z.object({
    orderId: OrderId,
  }),
});

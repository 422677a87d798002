import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { topics } from '../topics.ts';

export const CommitStock = defineMessage({
  type: 'CommitStock',
  version: 1,
  topic: topics.inventoryCommands,
  key: 'orderId',
  meaning: 'The parcel left: take what was held off the shelf for good.',
  schema: z.object({
    orderId: OrderId,
  }),
});

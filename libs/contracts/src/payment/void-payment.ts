import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { topics } from '../topics.ts';

export const VoidPayment = defineMessage({
  type: 'VoidPayment',
  version: 1,
  topic: topics.paymentCommands,
  key: 'orderId',
  meaning: 'Give up whatever is held or taken for the order, also when nothing ever was.',
  schema: z.object({
    orderId: OrderId,
  }),
});

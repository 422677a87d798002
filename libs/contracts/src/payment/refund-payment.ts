import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { topics } from '../topics.ts';

export const RefundPayment = defineMessage({
  type: 'RefundPayment',
  version: 1,
  topic: topics.paymentCommands,
  key: 'orderId',
  meaning: 'Give captured money of the order back.',
  schema: z.object({
    orderId: OrderId,
  }),
});

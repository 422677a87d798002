import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { topics } from '../topics.ts';

export const PaymentVoided = defineMessage({
  type: 'PaymentVoided',
  version: 1,
  topic: topics.paymentEvents,
  key: 'orderId',
  meaning: 'No money of the order is held any more, and none was taken.',
  schema: z.object({
    orderId: OrderId,
  }),
});

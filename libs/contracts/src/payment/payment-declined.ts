import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { topics } from '../topics.ts';

export const PaymentDeclined = defineMessage({
  type: 'PaymentDeclined',
  version: 1,
  topic: topics.paymentEvents,
  key: 'orderId',
  meaning: 'The card was refused; nothing is held.',
  schema: z.object({
    orderId: OrderId,
    reason: z.enum(['card-declined', 'insufficient-funds', 'payment-voided']),
  }),
});

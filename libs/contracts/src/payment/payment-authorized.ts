import { z } from 'zod';
import { OrderId, PaymentId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { Money } from '../money.ts';
import { topics } from '../topics.ts';

export const PaymentAuthorized = defineMessage({
  type: 'PaymentAuthorized',
  version: 1,
  topic: topics.paymentEvents,
  key: 'orderId',
  meaning: 'The amount is held on the card, not taken.',
  schema: z.object({
    orderId: OrderId,
    paymentId: PaymentId,
    amount: Money,
  }),
});

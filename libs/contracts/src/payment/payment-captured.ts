import { z } from 'zod';
import { OrderId, PaymentId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { Money } from '../money.ts';
import { topics } from '../topics.ts';

export const PaymentCaptured = defineMessage({
  type: 'PaymentCaptured',
  version: 1,
  topic: topics.paymentEvents,
  key: 'orderId',
  meaning: 'The money was taken.',
  schema: z.object({
    orderId: OrderId,
    paymentId: PaymentId,
    amount: Money,
  }),
});

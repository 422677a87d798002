import { z } from 'zod';
import { OrderId, PaymentId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { Money } from '../money.ts';
import { topics } from '../topics.ts';

export const PaymentRefunded = defineMessage({
  type: 'PaymentRefunded',
  version: 1,
  topic: topics.paymentEvents,
  key: 'orderId',
  meaning: 'Captured money was given back.',
  schema: z.object({
    orderId: OrderId,
    paymentId: PaymentId,
    amount: Money,
  }),
});

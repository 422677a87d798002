import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { Money } from '../money.ts';
import { topics } from '../topics.ts';

export const AuthorizePayment = defineMessage({
  type: 'AuthorizePayment',
  version: 1,
  topic: topics.paymentCommands,
  key: 'orderId',
  meaning: 'Hold the amount on the card of the customer.',
  schema: z.object({
    orderId: OrderId,
    amount: Money,
    paymentToken: z.string(),
  }),
});

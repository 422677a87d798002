import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { Money } from '../money.ts';
import { CancellationReason } from './cancellation-reason.ts';
import { Contact } from './order-parts.ts';
import { topics } from '../topics.ts';

export const OrderCancelled = defineMessage({
  type: 'OrderCancelled',
  version: 1,
  topic: topics.orderEvents,
  key: 'orderId',
  meaning: 'The order ended without delivery; stock and money were given back first.',
  schema: z.object({
    orderId: OrderId,
    contact: Contact,
    reason: CancellationReason,
    total: Money,
    placedAt: z.iso.datetime(),
  }),
});

import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { Money } from '../money.ts';
import { PricedLines } from './order-parts.ts';
import { topics } from '../topics.ts';

export const OrderCompleted = defineMessage({
  type: 'OrderCompleted',
  version: 1,
  topic: topics.orderEvents,
  key: 'orderId',
  meaning: 'The parcel is on its way and the money is captured: nothing is left to do.',
  schema: z.object({
    orderId: OrderId,
    lines: PricedLines,
    total: Money,
    placedAt: z.iso.datetime(),
  }),
});

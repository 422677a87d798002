import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { Money } from '../money.ts';
import { Contact, PricedLines } from './order-parts.ts';
import { topics } from '../topics.ts';

export const OrderConfirmed = defineMessage({
  type: 'OrderConfirmed',
  version: 1,
  topic: topics.orderEvents,
  key: 'orderId',
  meaning: 'Stock is held and payment is authorized; the parcel is being arranged.',
  schema: z.object({
    orderId: OrderId,
    contact: Contact,
    lines: PricedLines,
    total: Money,
    placedAt: z.iso.datetime(),
  }),
});

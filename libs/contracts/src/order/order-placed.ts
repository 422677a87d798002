import { z } from 'zod';
import { CustomerId, OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { Money } from '../money.ts';
import { Address, PricedLines } from './order-parts.ts';
import { topics } from '../topics.ts';

export const OrderPlaced = defineMessage({
  type: 'OrderPlaced',
  version: 1,
  topic: topics.orderEvents,
  key: 'orderId',
  meaning: 'A customer placed an order; nothing is reserved or paid yet.',
  schema: z.object({
    orderId: OrderId,
    customerId: CustomerId,
    lines: PricedLines,
    total: Money,
    shippingAddress: Address,
  }),
});

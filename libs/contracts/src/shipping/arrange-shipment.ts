import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { Address, Quantities } from '../order/order-parts.ts';
import { topics } from '../topics.ts';

export const ArrangeShipment = defineMessage({
  type: 'ArrangeShipment',
  version: 1,
  topic: topics.shippingCommands,
  key: 'orderId',
  meaning: 'Book a carrier for the parcel of the order.',
  schema: z.object({
    orderId: OrderId,
    lines: Quantities,
    address: Address,
  }),
});

import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { topics } from '../topics.ts';

export const ShipmentCancelled = defineMessage({
  type: 'ShipmentCancelled',
  version: 1,
  topic: topics.shippingEvents,
  key: 'orderId',
  meaning: 'The parcel will not leave the warehouse.',
  schema: z.object({
    orderId: OrderId,
  }),
});

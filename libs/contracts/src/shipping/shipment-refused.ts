import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { topics } from '../topics.ts';

export const ShipmentRefused = defineMessage({
  type: 'ShipmentRefused',
  version: 1,
  topic: topics.shippingEvents,
  key: 'orderId',
  meaning: 'No carrier takes the parcel; nothing leaves the warehouse.',
  schema: z.object({
    orderId: OrderId,
    reason: z.enum(['postcode-not-served', 'shipment-cancelled']),
  }),
});

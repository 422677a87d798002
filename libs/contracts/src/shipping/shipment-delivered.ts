import { z } from 'zod';
import { OrderId, ShipmentId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { topics } from '../topics.ts';

export const ShipmentDelivered = defineMessage({
  type: 'ShipmentDelivered',
  version: 1,
  topic: topics.shippingEvents,
  key: 'orderId',
  meaning: 'The customer has the parcel.',
  schema: z.object({
    orderId: OrderId,
    shipmentId: ShipmentId,
  }),
});

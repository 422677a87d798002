import { z } from 'zod';
import { OrderId, ShipmentId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { topics } from '../topics.ts';

export const ShipmentDispatched = defineMessage({
  type: 'ShipmentDispatched',
  version: 1,
  topic: topics.shippingEvents,
  key: 'orderId',
  meaning: 'The carrier collected the parcel: the point of no return.',
  schema: z.object({
    orderId: OrderId,
    shipmentId: ShipmentId,
    carrier: z.string(),
    trackingNumber: z.string(),
  }),
});

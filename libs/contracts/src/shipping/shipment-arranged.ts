import { z } from 'zod';
import { OrderId, ShipmentId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { topics } from '../topics.ts';

export const ShipmentArranged = defineMessage({
  type: 'ShipmentArranged',
  version: 1,
  topic: topics.shippingEvents,
  key: 'orderId',
  meaning: 'A carrier accepted the parcel and will collect it.',
  schema: z.object({
    orderId: OrderId,
    shipmentId: ShipmentId,
    carrier: z.string(),
    trackingNumber: z.string(),
  }),
});

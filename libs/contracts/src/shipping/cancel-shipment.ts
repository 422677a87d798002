import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { topics } from '../topics.ts';

export const CancelShipment = defineMessage({
  type: 'CancelShipment',
  version: 1,
  topic: topics.shippingCommands,
  key: 'orderId',
  meaning: 'Recall the parcel if it has not left yet, also when none was ever arranged.',
  schema: z.object({
    orderId: OrderId,
  }),
});

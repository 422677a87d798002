import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { Contact } from './order-parts.ts';
import { topics } from '../topics.ts';

export const OrderDispatched = defineMessage({
  type: 'OrderDispatched',
  version: 1,
  topic: topics.orderEvents,
  key: 'orderId',
  meaning: 'The parcel left the warehouse; the order can no longer be cancelled.',
  schema: z.object({
    orderId: OrderId,
    contact: Contact,
    carrier: z.string(),
    trackingNumber: z.string(),
    /** The customer asked for a cancellation, but the parcel was faster. */
    cancellationCameTooLate: z.boolean(),
    placedAt: z.iso.datetime(),
  }),
});

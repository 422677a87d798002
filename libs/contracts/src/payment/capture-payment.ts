import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { topics } from '../topics.ts';

export const CapturePayment = defineMessage({
  type: 'CapturePayment',
  version: 1,
  topic: topics.paymentCommands,
  key: 'orderId',
  meaning: 'Take the money that was authorized for the order.',
  schema: z.object({
    orderId: OrderId,
  }),
});

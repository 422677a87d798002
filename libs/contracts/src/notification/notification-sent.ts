import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { NotificationKind } from './notification-kind.ts';
import { topics } from '../topics.ts';

export const NotificationSent = defineMessage({
  type: 'NotificationSent',
  version: 1,
  topic: topics.notificationEvents,
  key: 'orderId',
  meaning: 'The customer was told.',
  schema: z.object({
    orderId: OrderId,
    kind: NotificationKind,
    channel: z.literal('email'),
  }),
});

import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { NotificationKind } from './notification-kind.ts';
import { topics } from '../topics.ts';

export const NotificationFailed = defineMessage({
  type: 'NotificationFailed',
  version: 1,
  topic: topics.notificationEvents,
  key: 'orderId',
  meaning: 'The customer could not be told, and no further attempt is made.',
  schema: z.object({
    orderId: OrderId,
    kind: NotificationKind,
    channel: z.literal('email'),
    reason: z.string(),
  }),
});

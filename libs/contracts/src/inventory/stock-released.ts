import { z } from 'zod';
import { OrderId } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { topics } from '../topics.ts';

export const StockReleased = defineMessage({
  type: 'StockReleased',
  version: 1,
  topic: topics.inventoryEvents,
  key: 'orderId',
  meaning: 'Nothing is held for the order any more.',
  schema: z.object({
    orderId: OrderId,
    /** `requested` answers ReleaseStock; `expired` says that the hold ran out by itself. */
    reason: z.enum(['requested', 'expired']),
  }),
});

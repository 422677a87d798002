import { z } from 'zod';
import { Sku } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { Money } from '../money.ts';
import { topics } from '../topics.ts';

export const PriceChanged = defineMessage({
  type: 'PriceChanged',
  version: 1,
  topic: topics.catalogEvents,
  key: 'sku',
  meaning:
    'A product has a new price; it carries all a reader needs, because compaction keeps only the newest message of a sku.',
  schema: z.object({
    sku: Sku,
    name: z.string(),
    price: Money,
    previousPrice: Money,
  }),
});

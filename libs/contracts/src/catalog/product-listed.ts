import { z } from 'zod';
import { Sku } from '../ids.ts';
import { defineMessage } from '../message.ts';
import { Money } from '../money.ts';
import { topics } from '../topics.ts';

export const ProductListed = defineMessage({
  type: 'ProductListed',
  version: 1,
  topic: topics.catalogEvents,
  key: 'sku',
  meaning: 'A product can be ordered at this price.',
  schema: z.object({
    sku: Sku,
    name: z.string(),
    price: Money,
  }),
});

import { z } from 'zod';
import { Sku } from '../ids.ts';
import { Money } from '../money.ts';

/** How many of what. */
export const Quantities = z
  .array(z.object({ sku: Sku, quantity: z.int().positive().max(1000) }))
  .min(1)
  .max(50);
export type Quantities = z.infer<typeof Quantities>;

/** How many of what, at which price: fixed when the order was placed. */
export const PricedLines = z
  .array(z.object({ sku: Sku, name: z.string(), quantity: z.int().positive(), unitPrice: Money }))
  .min(1);
export type PricedLines = z.infer<typeof PricedLines>;

const line = z.string().trim().min(1).max(200);

/** Where a parcel goes. */
export const Address = z.object({
  name: line,
  street: line,
  postcode: z.string().trim().min(1).max(16),
  city: line,
  country: z.string().regex(/^[A-Z]{2}$/, 'expected an ISO 3166-1 alpha-2 code such as DE'),
});
export type Address = z.infer<typeof Address>;

/** Whom to write to about an order. */
export const Contact = z.object({ name: line, email: z.email().max(254) });
export type Contact = z.infer<typeof Contact>;

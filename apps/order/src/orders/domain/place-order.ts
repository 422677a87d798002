import { Address, Contact, Currency, CustomerId, Sku } from '@millrace/contracts';
import { z } from 'zod';
import { PLAIN_TEXT, PLAIN_TEXT_HINT } from './plain-text.ts';

// A token stands for a card that the payment provider keeps. Twelve digits in a row look like the card itself.
const tokenPattern = /^(tok|pm)_(?!.*\d{12})[A-Za-z0-9_]{1,120}$/;

const shippingAddress = z
  .strictObject({
    name: Address.shape.name.regex(PLAIN_TEXT, PLAIN_TEXT_HINT),
    email: Contact.shape.email,
    street: Address.shape.street.regex(PLAIN_TEXT, PLAIN_TEXT_HINT),
    postcode: Address.shape.postcode.regex(PLAIN_TEXT, PLAIN_TEXT_HINT),
    city: Address.shape.city.regex(PLAIN_TEXT, PLAIN_TEXT_HINT),
    country: Address.shape.country,
  })
  .describe('Where the parcel goes, and the address that mails about it go to');

const lines = z
  .array(
    z.strictObject({
      sku: Sku,
      quantity: z.int().min(1).max(1000),
    }),
  )
  .min(1)
  .max(50)
  .describe('What is wanted: each sku on one line only, with its whole quantity')
  .superRefine((all, context) => {
    const seen = new Set<string>();
    for (const [index, { sku }] of all.entries()) {
      if (seen.has(sku)) {
        context.addIssue({
          code: 'custom',
          path: [index, 'sku'],
          message: `${sku} is listed twice: send one line per sku, with the quantities added up`,
        });
      }
      seen.add(sku);
    }
  });

/**
 * What a customer sends to place an order. Fields it does not name are refused, not ignored: whoever sends a `price` or
 * a `cardNumber` must learn that it does not count. A sku may stand on one line only.
 */
export const PlaceOrder = z
  .strictObject({
    customerId: CustomerId.describe('Who orders: an opaque id, never a name or an address'),
    lines,
    currency: Currency.describe('What the customer pays in; every line must be sold in it'),
    shippingAddress,
    paymentToken: z
      .string()
      .regex(tokenPattern, 'expected a token of the payment provider such as tok_approved, never a card number')
      .describe('The token that the payment provider gave for the card'),
  })
  .meta({
    examples: [
      {
        customerId: 'customer-1',
        lines: [{ sku: 'MUG-BLUE', quantity: 2 }],
        currency: 'EUR',
        shippingAddress: {
          name: 'Ada Lovelace',
          email: 'ada@example.com',
          street: 'Marktplatz 1',
          postcode: '10115',
          city: 'Berlin',
          country: 'DE',
        },
        paymentToken: 'tok_approved',
      },
    ],
  });
export type PlaceOrder = z.infer<typeof PlaceOrder>;

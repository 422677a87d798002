import { z } from 'zod';

/** ISO 4217 alphabetic code. */
export const Currency = z.string().regex(/^[A-Z]{3}$/, 'expected an ISO 4217 code such as EUR');
export type Currency = z.infer<typeof Currency>;

/** An amount in minor units (cents) of one currency. Never a float. */
export const Money = z.object({ amountMinor: z.int().nonnegative(), currency: Currency });
export type Money = z.infer<typeof Money>;

/** The sum of amounts of one currency. Throws `RangeError` on mixed currencies and when the sum is no safe integer. */
export function sumOf(currency: Currency, amounts: readonly Money[]): Money {
  let amountMinor = 0;
  for (const amount of amounts) {
    if (amount.currency !== currency) throw new RangeError(`cannot add ${amount.currency} to ${currency}`);
    amountMinor += amount.amountMinor;
  }
  if (!Number.isSafeInteger(amountMinor)) throw new RangeError('the sum is too large to be exact');
  return { amountMinor, currency };
}

/** `money` taken `quantity` times. Throws `RangeError` when the product is no safe integer. */
export function times(money: Money, quantity: number): Money {
  const amountMinor = money.amountMinor * quantity;
  if (!Number.isSafeInteger(amountMinor)) throw new RangeError('the product is too large to be exact');
  return { amountMinor, currency: money.currency };
}

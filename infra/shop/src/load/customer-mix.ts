import type { PlaceOrder } from '../tour/shop-client.ts';
import type { Random } from './random.ts';

/** What a customer does. */
export interface Visit {
  readonly order: PlaceOrder;
  /** Sends the same request again under the same key, as one does who loses the answer. */
  readonly repeats: boolean;
  /** Changes their mind so long after the order was accepted. */
  readonly cancelsAfterMs?: number;
}

/** What is sold, the most popular first, all in one currency. */
export interface Assortment {
  readonly skus: readonly string[];
  readonly currency: string;
}

/** How many of a thousand customers. The others have a good card and keep what they ordered. */
export const PER_MILLE = { declinedCard: 60, noCarrier: 30, cancels: 50, repeats: 30 } as const;

// Of n products the k-th is bought 1/k as often as the first, or a bit less: what shops see of their bestsellers.
const ZIPF_EXPONENT = 1.1;

const MAX_LINES = 4;
const CITIES = ['Berlin', 'Hamburg', 'Leipzig', 'Köln', 'Bremen', 'Dresden'];
const NAMES = ['Ada', 'Ben', 'Cleo', 'Dora', 'Emil', 'Fay', 'Gus', 'Hanna', 'Ida', 'Jon'];

// No carrier goes there.
const UNREACHABLE_POSTCODE = '00000';

/** Customers as they come; the same ones for the same chance. */
export function customerMix({ skus, currency }: Assortment, random: Random): () => Visit {
  const drawSku = zipf(skus, random);
  const isOneOf = (perMille: number) => random() * 1000 < perMille;
  const oneOf = (items: readonly string[]) => items[Math.floor(random() * items.length)] ?? '';

  return () => {
    const number = Math.floor(random() * 100_000);
    const wanted = new Set(Array.from({ length: 1 + Math.floor(random() ** 2 * MAX_LINES) }, drawSku));
    const lines = [...wanted].map((sku) => ({ sku, quantity: random() < 0.75 ? 1 : 2 + Math.floor(random() * 2) }));
    const isDeclined = isOneOf(PER_MILLE.declinedCard);
    const isUnreachable = isOneOf(PER_MILLE.noCarrier);
    const order: PlaceOrder = {
      customerId: `customer-${number}`,
      lines,
      currency,
      shippingAddress: {
        name: oneOf(NAMES),
        email: `customer-${number}@example.com`,
        street: `Marktplatz ${1 + Math.floor(random() * 99)}`,
        postcode: isUnreachable ? UNREACHABLE_POSTCODE : String(10_115 + Math.floor(random() * 80_000)),
        city: oneOf(CITIES),
        country: 'DE',
      },
      paymentToken: isDeclined ? 'tok_declined' : 'tok_approved',
    };
    const repeats = isOneOf(PER_MILLE.repeats);
    return isOneOf(PER_MILLE.cancels)
      ? { order, repeats, cancelsAfterMs: Math.floor(random() * 2_000) }
      : { order, repeats };
  };
}

/** Draws the first of the items most often. */
function zipf(items: readonly string[], random: Random): () => string {
  let sum = 0;
  const upTo = items.map((_, index) => (sum += 1 / (index + 1) ** ZIPF_EXPONENT));
  return () => {
    const drawn = random() * sum;
    return items[upTo.findIndex((end) => drawn < end)] ?? items[0] ?? '';
  };
}

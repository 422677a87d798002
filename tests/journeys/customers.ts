import { randomUUID } from 'node:crypto';
import type { Shop } from '@millrace/embedded';

/** What a test's customer orders; one mug with a good card, unless told otherwise. */
export interface Wish {
  readonly sku?: string;
  readonly quantity?: number;
  readonly paymentToken?: string;
  readonly postcode?: string;
}

const TOKENS = [
  'tok_approved',
  'tok_approved',
  'tok_approved',
  'tok_declined',
  'tok_error_then_success',
  'tok_error_after_charging',
];
const SKUS = ['MUG-BLUE', 'TEA-GREEN-100', 'SOLD-OUT'];

/** A mix in which every kind of ending occurs: the `index`-th wish is always the same. */
function mixedWish(index: number): Wish {
  return {
    sku: SKUS[index % 7 === 6 ? 2 : index % 2] ?? 'MUG-BLUE',
    paymentToken: TOKENS[index % TOKENS.length] ?? 'tok_approved',
    postcode: index % 11 === 10 ? '00000' : '10115',
  };
}

/** Asks the given order API for an order, under a key of its own. */
export function requestOrder(orderApi: string, wish: Wish = {}): Promise<Response> {
  return fetch(`${orderApi}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    signal: AbortSignal.timeout(30_000),
    body: JSON.stringify({
      customerId: 'customer-1',
      currency: 'EUR',
      lines: [{ sku: wish.sku ?? 'MUG-BLUE', quantity: wish.quantity ?? 1 }],
      paymentToken: wish.paymentToken ?? 'tok_approved',
      shippingAddress: {
        name: 'Ada Lovelace',
        email: 'ada@example.com',
        street: 'Mill Lane 1',
        postcode: wish.postcode ?? '10115',
        city: 'Berlin',
        country: 'DE',
      },
    }),
  });
}

/** Places an order at the given order API and resolves with its id once it is accepted. */
export async function place(orderApi: string, wish: Wish = {}): Promise<string> {
  const response = await requestOrder(orderApi, wish);
  const body = (await response.json()) as { readonly orderId: string };
  if (response.status !== 202) throw new Error(`POST /orders answered ${response.status}: ${JSON.stringify(body)}`);
  return body.orderId;
}

/** Places `count` mixed orders at the shop, ten at a time; resolves with their ids. */
export async function placeMany(orderApis: readonly string[], count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const batch = Array.from({ length: Math.min(10, count - ids.length) }, (_, index) => ids.length + index);
    ids.push(
      ...(await Promise.all(batch.map((index) => place(orderApis[index % orderApis.length] ?? '', mixedWish(index))))),
    );
  }
  return ids;
}

/** The order API of each replica. */
export function orderApisOf(shop: Shop): readonly string[] {
  return shop.services.order.map(({ url }) => url);
}

import type { OrderId } from '@millrace/contracts';

/** What else there is to ask about an order. */
export interface OrderLinks {
  readonly self: string;
  readonly timeline: string;
  readonly stream: string;
  readonly cancellation: string;
}

export function pathOfOrder(orderId: OrderId): string {
  return `/orders/${orderId}`;
}

export function linksOf(orderId: OrderId): OrderLinks {
  const self = pathOfOrder(orderId);
  return { self, timeline: `${self}/timeline`, stream: `${self}/stream`, cancellation: `${self}/cancellation` };
}

/** A page of a list: at most `limit` of the items that were found, and the key of the last one if there are more. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly lastKey: string | undefined;
}

/** `found` holds up to one item more than the page, which tells that there is a next one. */
export function pageOf<Item>(found: readonly Item[], limit: number, keyOf: (item: Item) => string): Page<Item> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, lastKey: found.length > limit && last !== undefined ? keyOf(last) : undefined };
}

/** The path of the next page: the same question with another cursor. */
export function nextPath(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  return `${path}?${parameters.toString()}`;
}

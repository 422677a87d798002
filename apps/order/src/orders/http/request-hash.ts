import { createHash } from 'node:crypto';
import type { PlaceOrder } from '../domain/place-order.ts';

/**
 * What an idempotency key is bound to: SHA-256, in hex, of the parsed request. Parsing puts the fields in one order and
 * trims, so two spellings of the same wish have the same hash; the order of the lines counts.
 */
export function requestHashOf(request: PlaceOrder): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('hex');
}

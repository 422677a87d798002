import type { OrderId, Quantities } from '@millrace/contracts';
import type { Shortage } from './stock-item.ts';

/**
 * What the warehouse remembers of one order, for good, so that a command that comes again or too late is answered truthfully:
 * - `held`: kept for the order until `heldUntil`;
 * - `released`: given back because the checkout asked; without lines when nothing was ever held;
 * - `expired`: given back because the hold ran out;
 * - `committed`: off the shelf, the parcel has left;
 * - `rejected`: never held, because of `missing`.
 */
export type Reservation = Held | GivenBack | Committed | Rejected;

export interface Held {
  readonly status: 'held';
  readonly orderId: OrderId;
  /** As the order named them; a product may occur twice. */
  readonly lines: Quantities;
  readonly heldUntil: Date;
}

export interface GivenBack {
  readonly status: 'released' | 'expired';
  readonly orderId: OrderId;
  readonly lines: Quantities;
}

export interface Committed {
  readonly status: 'committed';
  readonly orderId: OrderId;
  readonly lines: Quantities;
}

export interface Rejected {
  readonly status: 'rejected';
  readonly orderId: OrderId;
  readonly lines: Quantities;
  readonly missing: readonly Shortage[];
}

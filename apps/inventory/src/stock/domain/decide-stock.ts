import {
  type CommitStock,
  type MessageOf,
  type OrderId,
  type Quantities,
  type ReleaseStock,
  type ReserveStock,
  type Said,
  StockCommitted,
  StockRejected,
  StockReleased,
  StockReserved,
} from '@millrace/contracts';
import {
  type Decision,
  type DecisionContext,
  type LocalMessage,
  PermanentFailure,
  unchanged,
} from '@millrace/messaging/decisions';
import type { Committed, GivenBack, Held, Rejected, Reservation } from './reservation.ts';
import {
  amountsOf,
  givenBack,
  held,
  shortagesOf,
  type StockItems,
  takenFromFree,
  takenFromHeld,
} from './stock-item.ts';

/** What a decision about one order needs: its reservation, and the stock of the products it names. */
export interface StockState {
  readonly reservation: Reservation | undefined;
  readonly items: StockItems;
}

/** A hold ran out. */
export type HoldExpired = LocalMessage<'HoldExpired', { readonly orderId: OrderId }>;

export type StockMessage =
  | MessageOf<typeof ReserveStock>
  | MessageOf<typeof ReleaseStock>
  | MessageOf<typeof CommitStock>
  | HoldExpired;

/**
 * The warehouse's rules. An order holds all of its lines or none; whatever is asked again is answered again; undoing what was
 * never seen is accepted and remembered, so that the original, when it comes late, is refused.
 */
export function stockRules(options: { readonly holdMs: number }) {
  return (state: StockState, message: StockMessage, { now }: DecisionContext): Decision<StockState> => {
    switch (message.type) {
      case 'ReserveStock':
        return reserve(state, message.body, new Date(now.getTime() + options.holdMs));
      case 'ReleaseStock':
        return release(state, message.body.orderId);
      case 'CommitStock':
        return commit(state, message.body.orderId);
      case 'HoldExpired':
        return expire(state, now);
    }
  };
}

function reserve(
  state: StockState,
  { orderId, lines }: { readonly orderId: OrderId; readonly lines: Quantities },
  heldUntil: Date,
): Decision<StockState> {
  if (state.reservation !== undefined) return { state, messages: [answerAgain(state.reservation)] };
  const amounts = amountsOf(lines);
  const missing = shortagesOf(state.items, amounts);
  if (missing.length > 0) {
    const rejected: Rejected = { status: 'rejected', orderId, lines, missing };
    return { state: { ...state, reservation: rejected }, messages: [saysRejected(rejected)] };
  }
  const hold: Held = { status: 'held', orderId, lines, heldUntil };
  return { state: { reservation: hold, items: held(state.items, amounts) }, messages: [saysReserved(hold)] };
}

function answerAgain(reservation: Reservation): Said {
  switch (reservation.status) {
    case 'held':
      return saysReserved(reservation);
    case 'rejected':
      return saysRejected(reservation);
    case 'committed':
      return saysCommitted(reservation);
    case 'released':
    case 'expired':
      // The order gave its stock up: holding it again would hold it for nobody.
      return StockRejected({ orderId: reservation.orderId, missing: [] });
  }
}

function release(state: StockState, orderId: OrderId): Decision<StockState> {
  const { reservation, items } = state;
  const released = StockReleased({ orderId, reason: 'requested' });
  switch (reservation?.status) {
    case undefined:
      return { state: { items, reservation: { status: 'released', orderId, lines: [] } }, messages: [released] };
    case 'held':
      return { state: giveBack(items, reservation, 'released'), messages: [released] };
    case 'released':
    case 'expired':
    case 'rejected':
      return { state, messages: [released] };
    case 'committed':
      throw new PermanentFailure(
        'release-after-commit',
        `the parcel of order ${orderId} has left: nothing can be given back`,
      );
  }
}

function commit(state: StockState, orderId: OrderId): Decision<StockState> {
  const { reservation, items } = state;
  switch (reservation?.status) {
    case 'held':
      return taken(takenFromHeld(items, amountsOf(reservation.lines)), reservation);
    case 'expired':
      return commitAfterExpiry(items, reservation);
    case 'committed':
      return { state, messages: [saysCommitted(reservation)] };
    case undefined:
    case 'released':
    case 'rejected': {
      const what = reservation === undefined ? 'was never reserved' : `is ${reservation.status}`;
      throw new PermanentFailure('commit-without-hold', `order ${orderId} has left, but its stock ${what}`);
    }
  }
}

/** The parcel is gone, whatever the hold says: take its stock again, or tell a person that the shelf and the books differ. */
function commitAfterExpiry(items: StockItems, reservation: GivenBack): Decision<StockState> {
  const amounts = amountsOf(reservation.lines);
  const missing = shortagesOf(items, amounts);
  if (missing.length > 0) {
    const products = missing.map(
      ({ sku, requested, available }) => `${sku} (${requested} left, ${available} were free)`,
    );
    throw new PermanentFailure(
      'oversold-after-expiry',
      `order ${reservation.orderId} has left after its hold ran out and others hold its stock: ${products.join(', ')}`,
    );
  }
  return taken(takenFromFree(items, amounts), reservation);
}

function expire(state: StockState, now: Date): Decision<StockState> {
  const { reservation, items } = state;
  if (reservation?.status !== 'held' || reservation.heldUntil > now) return unchanged(state);
  return {
    state: giveBack(items, reservation, 'expired'),
    messages: [StockReleased({ orderId: reservation.orderId, reason: 'expired' })],
  };
}

function giveBack(items: StockItems, { orderId, lines }: Held, status: GivenBack['status']): StockState {
  return { reservation: { status, orderId, lines }, items: givenBack(items, amountsOf(lines)) };
}

function taken(items: StockItems, { orderId, lines }: Held | GivenBack): Decision<StockState> {
  const reservation: Committed = { status: 'committed', orderId, lines };
  return { state: { items, reservation }, messages: [saysCommitted(reservation)] };
}

function saysReserved({ orderId, lines, heldUntil }: Held): Said {
  return StockReserved({ orderId, lines, heldUntil: heldUntil.toISOString() });
}

function saysRejected({ orderId, missing }: Rejected): Said {
  return StockRejected({ orderId, missing: [...missing] });
}

function saysCommitted({ orderId, lines }: Committed): Said {
  return StockCommitted({ orderId, lines });
}

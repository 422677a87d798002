import type { HistoryEntry } from '../../checkout/domain/history.ts';
import type { OrderStatus } from '../../checkout/domain/order.ts';

/** One step of an order's own state machine. */
export interface StatusChange {
  readonly status: OrderStatus;
  readonly version: number;
  /** RFC 3339 in UTC. */
  readonly at: string;
}

const STATUS_TOLD_BY: Readonly<Record<string, OrderStatus>> = {
  OrderPlaced: 'placed',
  OrderConfirmed: 'confirmed',
  OrderDispatched: 'dispatched',
  OrderCompleted: 'completed',
  OrderCancelled: 'cancelled',
};

// What an order asks of the others when it starts to cancel. `cancelling` itself is told to nobody, so it has no event.
const UNDOES: ReadonlySet<string> = new Set(['ReleaseStock', 'VoidPayment', 'CancelShipment']);

/**
 * Every status the order has had, with versions 1, 2, 3…, the last one being its present `status` and `version`. Read from
 * its history, so a reader who looks seldom misses no step.
 */
export function statusChangesOf(
  status: OrderStatus,
  version: number,
  history: readonly HistoryEntry[],
): readonly StatusChange[] {
  const told = history.flatMap(({ said, decidedAt }) =>
    said.flatMap((type) => {
      const next = STATUS_TOLD_BY[type];
      return next === undefined ? [] : [{ status: next, at: decidedAt }];
    }),
  );
  // One version more than was told: the order was `cancelling`, right before the parcel left or the order was cancelled.
  if (told.length < version) {
    const at = history.find(({ said }) => said.some((type) => UNDOES.has(type)))?.decidedAt;
    const after =
      status === 'cancelling'
        ? -1
        : told.findIndex((change) => change.status === 'cancelled' || change.status === 'dispatched');
    const place = after === -1 ? told.length : after;
    told.splice(place, 0, { status: 'cancelling', at: at ?? told[place - 1]?.at ?? '' });
  }
  return told.map((change, index) => ({ ...change, version: index + 1 }));
}

import type { Deltas } from './deltas.ts';
import { RunningTotals } from './running-totals.ts';
import type { ShopEvent } from './shop-events.ts';

/** What these events add to the read models. Everything comes from the events: no clock, no order among keys. */
export function fold(events: readonly ShopEvent[]): Deltas {
  const totals = new RunningTotals();
  for (const event of events) {
    totals.count('message', event.type);
    add(totals, event);
  }
  return totals.deltas();
}

function add(totals: RunningTotals, event: ShopEvent): void {
  switch (event.type) {
    case 'OrderPlaced':
      totals.reached('placed');
      totals.inMinute(event.time, 'placed', event.body.total);
      return;
    case 'StockReserved':
      totals.reached('stock-reserved');
      return;
    case 'StockRejected': {
      const missing = new Set(event.body.missing.map(({ sku }) => sku));
      // Nothing is missing when the reservation was refused because it had been released before it was asked for.
      totals.count('stock-rejected', missing.size > 0 ? 'out-of-stock' : 'already-released');
      for (const sku of missing) totals.missed(sku, event.time);
      return;
    }
    case 'PaymentAuthorized':
      totals.reached('payment-authorized');
      return;
    case 'PaymentDeclined':
      totals.count('payment-declined', event.body.reason);
      return;
    case 'OrderConfirmed':
      totals.reached('confirmed');
      totals.inMinute(event.time, 'confirmed', event.body.total);
      totals.took('confirmed', event.body.placedAt, event.time);
      return;
    case 'ShipmentRefused':
      totals.count('shipment-refused', event.body.reason);
      return;
    case 'OrderDispatched':
      // Not ShipmentDispatched: the shipping service says that again when somebody asks again, an order says it once.
      totals.reached('dispatched');
      totals.took('dispatched', event.body.placedAt, event.time);
      return;
    case 'OrderCompleted':
      totals.reached('completed');
      totals.inMinute(event.time, 'completed', event.body.total);
      totals.took('completed', event.body.placedAt, event.time);
      for (const line of event.body.lines) totals.sold(line, event.body.placedAt);
      return;
    case 'ShipmentDelivered':
      totals.reached('delivered');
      return;
    case 'OrderCancelled':
      totals.count('cancellation', event.body.reason);
      totals.inMinute(event.time, 'cancelled', event.body.total);
      return;
    case 'NotificationSent':
      totals.count('notification-sent', event.body.kind);
      return;
    case 'NotificationFailed':
      totals.count('notification-failed', event.body.kind);
      return;
    case 'StockReleased':
    case 'StockCommitted':
    case 'ProductListed':
    case 'PriceChanged':
    case 'PaymentCaptured':
    case 'PaymentVoided':
    case 'PaymentRefunded':
    case 'ShipmentArranged':
    case 'ShipmentDispatched':
    case 'ShipmentCancelled':
      // Only counted, as every event is.
      return;
  }
}

import {
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  PaymentRefunded,
  PaymentVoided,
  ShipmentArranged,
  ShipmentCancelled,
  ShipmentDelivered,
  ShipmentDispatched,
  ShipmentRefused,
  StockCommitted,
  StockRejected,
  StockReleased,
  StockReserved,
} from '@millrace/contracts';
import { decides, dues, type Handler, Handles } from '@millrace/messaging';
import { Controller } from '@nestjs/common';
import { CheckoutDecider } from '../checkout.decider.ts';
import { expiredDeadlines } from '../store/deadlines.ts';

// Deadlines are seconds to hours long; half a second later is still in time.
const DEADLINES_EVERY_MS = 500;

/** Carries on checkouts: by what the participants say, and by the clock where they say nothing. */
@Controller()
export class CheckoutHandler {
  constructor(private readonly decider: CheckoutDecider) {}

  @Handles('order.checkout')
  checkout(): Handler {
    const { store, decide } = this.decider;
    return decides({
      hears: [
        StockReserved,
        StockRejected,
        StockReleased,
        StockCommitted,
        PaymentAuthorized,
        PaymentDeclined,
        PaymentCaptured,
        PaymentVoided,
        PaymentRefunded,
        ShipmentArranged,
        ShipmentRefused,
        ShipmentDispatched,
        ShipmentDelivered,
        ShipmentCancelled,
      ],
      store,
      decide,
    });
  }

  @Handles('order.deadlines')
  deadlines(): Handler {
    const { store, decide } = this.decider;
    return dues({ store, decide, due: expiredDeadlines, everyMs: DEADLINES_EVERY_MS });
  }
}

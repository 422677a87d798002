import { createHash } from 'node:crypto';
import type { CarrierEvent } from '../../domain/decide-report.ts';
import type { BookedShipment } from '../../domain/shipment.ts';
import { type BookingAnswer, type BookingCall, type CancelAnswer, type CancelCall, Carrier } from '../carrier.ts';

export interface InProcessCarrierOptions {
  readonly refusedPostcodes: ReadonlySet<string>;
  /** From booking to collection. */
  readonly dispatchAfterMs: number;
  /** From collection to delivery. */
  readonly deliverAfterMs: number;
}

/** What the carrier has to report, and when it will have more. */
export interface Report {
  readonly event: CarrierEvent;
  readonly nextReportAt?: Date;
}

const NAME = 'Millrace Parcel';

// 64 bits: two of a billion parcels share a number about once in forty such carriers.
const TRACKING_NUMBER_DIGITS = 16;

/**
 * Stands in for a carrier. It keeps no books: where a parcel is, is the shipment's own status, and the row lock decides between
 * collection and recall. So it agrees to every recall, and the service finds out whether it came in time.
 */
export class InProcessCarrier extends Carrier {
  // It answers at once, so this is the size of the batches in which its answers are recorded.
  override readonly concurrency = 500;
  readonly #options: InProcessCarrierOptions;

  constructor(options: InProcessCarrierOptions) {
    super();
    this.#options = options;
  }

  /** The tracking number follows from the idempotency key, so a repeated call is given the same one. */
  async book({ parcel, idempotencyKey }: BookingCall): Promise<BookingAnswer> {
    if (this.#options.refusedPostcodes.has(parcel.address.postcode)) {
      return { kind: 'refused', reason: 'postcode-not-served' };
    }
    return {
      kind: 'accepted',
      carrier: NAME,
      trackingNumber: trackingNumberOf(idempotencyKey),
      nextReportAt: new Date(Date.now() + this.#options.dispatchAfterMs),
    };
  }

  async cancel(_call: CancelCall): Promise<CancelAnswer> {
    return { kind: 'cancelled' };
  }

  /** The report that is due about a parcel: it is collected first and delivered then. */
  reportOn(status: Extract<BookedShipment['status'], 'arranged' | 'dispatched'>, now: Date): Report {
    switch (status) {
      case 'arranged':
        return { event: 'collected', nextReportAt: new Date(now.getTime() + this.#options.deliverAfterMs) };
      case 'dispatched':
        return { event: 'delivered' };
    }
  }
}

function trackingNumberOf(idempotencyKey: string): string {
  const digest = createHash('sha256').update(idempotencyKey).digest('hex');
  return `MP${digest.slice(0, TRACKING_NUMBER_DIGITS).toUpperCase()}`;
}

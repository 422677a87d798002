import type { OrderId } from '@millrace/contracts';
import type { CarrierRefusal, Parcel } from '../domain/shipment.ts';

/** What every call carries. */
export interface CarrierCall {
  /** For the carrier's records. */
  readonly orderId: OrderId;
  /** The same for every repetition of one call: the carrier acts once and repeats its first answer. */
  readonly idempotencyKey: string;
  /** Aborted when nobody waits for the answer any more; the carrier may have acted all the same. */
  readonly signal: AbortSignal;
}

export interface BookingCall extends CarrierCall {
  readonly parcel: Parcel;
}

export interface CancelCall extends CarrierCall {
  readonly trackingNumber: string;
}

export type BookingAnswer =
  | {
      readonly kind: 'accepted';
      readonly carrier: string;
      readonly trackingNumber: string;
      /** When there is something to report; absent when the carrier calls POST /webhooks/carrier by itself. */
      readonly nextReportAt?: Date;
    }
  | { readonly kind: 'refused'; readonly reason: CarrierRefusal };

export type CancelAnswer = { readonly kind: 'cancelled' } | { readonly kind: 'too-late' };

/**
 * Whoever carries the parcels. A refusal is an answer; both methods reject with `Unavailable` when the carrier is away, with
 * `PermanentFailure` when it will never do what is asked, and with any other error when trying again may help.
 */
export abstract class Carrier {
  /** How many calls it likes to have under way at once. */
  abstract readonly concurrency: number;
  /** Asks to collect a parcel and to bring it to its address. */
  abstract book(call: BookingCall): Promise<BookingAnswer>;
  /** Asks not to collect it any more. */
  abstract cancel(call: CancelCall): Promise<CancelAnswer>;
}

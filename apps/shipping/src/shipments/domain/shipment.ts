import type { Address, BodyOf, Quantities, ShipmentId, ShipmentRefused } from '@millrace/contracts';

/** Why a carrier does not take a parcel. */
export type CarrierRefusal = Exclude<BodyOf<typeof ShipmentRefused>['reason'], 'shipment-cancelled'>;

/** What is sent where. */
export interface Parcel {
  readonly lines: Quantities;
  readonly address: Address;
}

/** What the carrier agreed to. */
export interface Booking {
  readonly shipmentId: ShipmentId;
  readonly carrier: string;
  readonly trackingNumber: string;
}

/** The conversation that the shipment belongs to, so that a carrier's report days later goes on with it. */
export interface Conversation {
  readonly correlationId: string;
  readonly traceparent?: string;
}

/** A parcel that a carrier accepted. From 'dispatched' on it cannot be recalled. */
export interface BookedShipment {
  readonly status: 'arranged' | 'dispatched' | 'delivered';
  readonly parcel: Parcel;
  readonly booking: Booking;
  readonly conversation: Conversation;
  /** When the carrier has something to report without being asked; absent when the carrier calls by itself. */
  readonly reportDueAt?: Date;
}

export interface RefusedShipment {
  readonly status: 'refused';
  readonly parcel: Parcel;
  readonly conversation: Conversation;
  readonly reason: CarrierRefusal;
}

export interface CancelledShipment {
  readonly status: 'cancelled';
  readonly conversation: Conversation;
  /** Both absent when the shipment was cancelled before it was ever asked for. */
  readonly parcel?: Parcel;
  readonly booking?: Booking;
}

/** The parcel of one order. */
export type Shipment = BookedShipment | RefusedShipment | CancelledShipment;

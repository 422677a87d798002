import { type OrderId, type Said, ShipmentDelivered, ShipmentDispatched } from '@millrace/contracts';
import { type Decision, type LocalMessage, unchanged } from '@millrace/messaging/decisions';
import type { BookedShipment, Shipment } from './shipment.ts';

/** What a carrier tells about a parcel. */
export type CarrierEvent = 'collected' | 'delivered';

/** A carrier reported, by calling the service or because its report was due. */
export type CarrierReported = LocalMessage<
  'CarrierReported',
  {
    readonly orderId: OrderId;
    readonly event: CarrierEvent;
    /** When the next report is due; absent when none is, or when the carrier calls by itself. */
    readonly nextReportAt?: Date;
  }
>;

/**
 * Moves the parcel along. A report that says nothing new changes nothing; one about a parcel that no carrier can have is
 * refused ('unknown-shipment', 'shipment-refused', 'shipment-cancelled').
 */
export function decideReport(shipment: Shipment | undefined, report: CarrierReported): Decision<Shipment | undefined> {
  switch (shipment?.status) {
    case undefined:
      return { state: shipment, messages: [], refused: 'unknown-shipment' };
    case 'refused':
    case 'cancelled':
      return { state: shipment, messages: [], refused: `shipment-${shipment.status}` };
    case 'arranged':
    case 'dispatched':
    case 'delivered':
      return move(shipment, report.body);
  }
}

function move(shipment: BookedShipment, { orderId, event, nextReportAt }: CarrierReported['body']): Decision<Shipment> {
  const { parcel, booking, conversation } = shipment;
  const status = event === 'collected' ? 'dispatched' : 'delivered';
  const messages: Said[] = [];
  // A carrier that says "delivered" first has collected the parcel, too.
  if (shipment.status === 'arranged') messages.push(ShipmentDispatched({ orderId, ...booking }));
  if (shipment.status !== 'delivered' && status === 'delivered') {
    messages.push(ShipmentDelivered({ orderId, shipmentId: booking.shipmentId }));
  }
  if (messages.length === 0) return unchanged(shipment);
  return {
    state: {
      status,
      parcel,
      booking,
      conversation,
      ...(nextReportAt === undefined ? {} : { reportDueAt: nextReportAt }),
    },
    messages,
  };
}

import {
  type ArrangeShipment,
  type CancelShipment,
  type MessageOf,
  type OrderId,
  ShipmentArranged,
  ShipmentCancelled,
  ShipmentDispatched,
  type ShipmentId,
  ShipmentRefused,
} from '@millrace/contracts';
import type { Decision, DecisionContext } from '@millrace/messaging/decisions';
import type { BookedShipment, CarrierRefusal, Conversation, Parcel, Shipment } from './shipment.ts';

type Arrange = MessageOf<typeof ArrangeShipment>;
type Cancel = MessageOf<typeof CancelShipment>;
export type ShipmentCommand = Arrange | Cancel;

/** What must be asked of the carrier before a command can be decided. */
export type NeededCall =
  | { readonly kind: 'book'; readonly parcel: Parcel }
  | { readonly kind: 'cancel'; readonly trackingNumber: string }
  | { readonly kind: 'none' };

/** What the carrier answered. */
export type Outcome =
  | {
      readonly kind: 'accepted';
      readonly carrier: string;
      readonly trackingNumber: string;
      readonly nextReportAt?: Date;
    }
  | { readonly kind: 'refused'; readonly reason: CarrierRefusal }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'too-late' }
  | { readonly kind: 'nothing-to-do' };

/** The call that a command needs: a parcel is booked only while nothing at all is known of the order's shipment. */
export function neededCall(shipment: Shipment | undefined, command: ShipmentCommand): NeededCall {
  switch (command.type) {
    case 'ArrangeShipment':
      if (shipment !== undefined) return { kind: 'none' };
      return { kind: 'book', parcel: { lines: command.body.lines, address: command.body.address } };
    case 'CancelShipment':
      if (shipment?.status !== 'arranged') return { kind: 'none' };
      return { kind: 'cancel', trackingNumber: shipment.booking.trackingNumber };
  }
}

/**
 * Records what the carrier answered, or answers from what is known already. Dispatch is the pivot: once the carrier has
 * reported that it collected the parcel, a recall is answered with the dispatch, whatever the carrier said to the recall.
 * Throws an `Error` when the shipment changed between the call and its record in a way that no report explains.
 */
export function decideShipment(
  shipment: Shipment | undefined,
  command: ShipmentCommand,
  outcome: Outcome,
  context: DecisionContext,
): Decision<Shipment | undefined> {
  return command.type === 'ArrangeShipment'
    ? arrange(shipment, command, outcome, context)
    : cancel(shipment, command, outcome);
}

function arrange(
  shipment: Shipment | undefined,
  command: Arrange,
  outcome: Outcome,
  { newId }: DecisionContext,
): Decision<Shipment> {
  const { orderId, lines, address } = command.body;
  const parcel = { lines, address };
  if (shipment !== undefined) {
    if (outcome.kind !== 'nothing-to-do') throw changed(shipment, command, outcome);
    return { state: shipment, messages: [truthOf(shipment, orderId)] };
  }
  switch (outcome.kind) {
    case 'accepted': {
      const { carrier, trackingNumber, nextReportAt } = outcome;
      const arranged: BookedShipment = {
        status: 'arranged',
        parcel,
        booking: { shipmentId: newId<ShipmentId>(), carrier, trackingNumber },
        conversation: conversationOf(command),
        ...(nextReportAt === undefined ? {} : { reportDueAt: nextReportAt }),
      };
      return { state: arranged, messages: [truthOf(arranged, orderId)] };
    }
    case 'refused': {
      const refused: Shipment = {
        status: 'refused',
        parcel,
        conversation: conversationOf(command),
        reason: outcome.reason,
      };
      return { state: refused, messages: [truthOf(refused, orderId)] };
    }
    case 'cancelled':
    case 'too-late':
    case 'nothing-to-do':
      throw changed(shipment, command, outcome);
  }
}

function cancel(shipment: Shipment | undefined, command: Cancel, outcome: Outcome): Decision<Shipment> {
  const { orderId } = command.body;
  switch (shipment?.status) {
    case undefined:
      // What was never seen is remembered as cancelled, so that a late ArrangeShipment is refused.
      if (outcome.kind !== 'nothing-to-do') throw changed(shipment, command, outcome);
      return {
        state: { status: 'cancelled', conversation: conversationOf(command) },
        messages: [ShipmentCancelled({ orderId })],
      };
    case 'arranged':
      if (outcome.kind === 'cancelled') {
        const { parcel, booking, conversation } = shipment;
        return {
          state: { status: 'cancelled', parcel, booking, conversation },
          messages: [ShipmentCancelled({ orderId })],
        };
      }
      if (outcome.kind === 'too-late') {
        // The carrier has the parcel; its report is still on the way and will change nothing any more.
        return { state: { ...shipment, status: 'dispatched' }, messages: [dispatched(shipment, orderId)] };
      }
      throw changed(shipment, command, outcome);
    case 'dispatched':
    case 'delivered':
      return { state: shipment, messages: [dispatched(shipment, orderId)] };
    case 'refused':
    case 'cancelled':
      return { state: shipment, messages: [ShipmentCancelled({ orderId })] };
  }
}

function truthOf(shipment: Shipment, orderId: OrderId) {
  switch (shipment.status) {
    case 'arranged':
      return ShipmentArranged({ orderId, ...shipment.booking });
    case 'dispatched':
    case 'delivered':
      // Whoever arranges or recalls a parcel needs to know that it left; delivery was told when it happened.
      return dispatched(shipment, orderId);
    case 'refused':
      return ShipmentRefused({ orderId, reason: shipment.reason });
    case 'cancelled':
      return ShipmentRefused({ orderId, reason: 'shipment-cancelled' });
  }
}

function dispatched({ booking }: BookedShipment, orderId: OrderId) {
  return ShipmentDispatched({ orderId, ...booking });
}

function conversationOf({ correlationId, traceparent }: ShipmentCommand): Conversation {
  return { correlationId, ...(traceparent === undefined ? {} : { traceparent }) };
}

function changed(shipment: Shipment | undefined, command: ShipmentCommand, outcome: Outcome): Error {
  const found = shipment?.status ?? 'unknown';
  return new Error(
    `shipment of ${command.body.orderId} changed: ${command.type} found it ${found}, the carrier answered ${outcome.kind}`,
  );
}

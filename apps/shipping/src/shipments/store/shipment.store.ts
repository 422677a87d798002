import type { ShipmentId } from '@millrace/contracts';
import { type Queryable, statement, type Transaction } from '@millrace/database';
import { type Change, keyedStore } from '@millrace/messaging';
import type { CarrierReported } from '../domain/decide-report.ts';
import type { ShipmentCommand } from '../domain/decide-shipment.ts';
import type { Booking, CarrierRefusal, Conversation, Parcel, Shipment } from '../domain/shipment.ts';

interface ShipmentRow {
  readonly order_id: string;
  readonly shipment_id: string | null;
  readonly status: Shipment['status'];
  readonly carrier: string | null;
  readonly tracking_number: string | null;
  readonly refusal_reason: CarrierRefusal | null;
  readonly lines: Parcel['lines'] | null;
  readonly address: Parcel['address'] | null;
  readonly report_due_at: Date | null;
  readonly correlation_id: string;
  readonly traceparent: string | null;
}

const SELECT = `
  SELECT order_id, shipment_id, status, carrier, tracking_number, refusal_reason, lines, address, report_due_at,
    correlation_id, traceparent
  FROM shipment WHERE order_id = ANY($1::uuid[])`;

const find = statement('shipment-find', SELECT);

const lock = statement('shipment-lock', `${SELECT} ORDER BY order_id FOR UPDATE`);

// No ON CONFLICT: a row that appeared since the batch was loaded means that the decisions rest on an old state.
const insert = statement(
  'shipment-insert',
  `INSERT INTO shipment (order_id, shipment_id, status, carrier, tracking_number, refusal_reason, lines, address,
     report_due_at, correlation_id, traceparent)
   SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::jsonb[],
     $9::timestamptz[], $10::text[], $11::text[])`,
);

// What was booked, and for which conversation, never changes.
const update = statement(
  'shipment-update',
  `UPDATE shipment SET status = changed.status, report_due_at = changed.report_due_at, updated_at = now()
   FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS changed (order_id, status, report_due_at)
   WHERE shipment.order_id = changed.order_id`,
);

/** Remembers the parcel of each order; the order's id is the key. */
export const shipmentStore = keyedStore<Shipment, ShipmentCommand | CarrierReported>({
  async load(db: Queryable, orderIds: readonly string[], isLocking: boolean) {
    const { rows } = await db.query<ShipmentRow>(isLocking ? lock(orderIds) : find(orderIds));
    return new Map(rows.map((row) => [row.order_id, shipmentOf(row)]));
  },

  async save(tx: Transaction, changes: readonly Change<Shipment>[]) {
    const added = changes.filter(({ before }) => before === undefined);
    const moved = changes.filter(({ before }) => before !== undefined);
    if (added.length > 0) {
      await tx.query(
        insert(
          added.map(({ key }) => key),
          added.map(({ after }) => bookingOf(after)?.shipmentId),
          added.map(({ after }) => after.status),
          added.map(({ after }) => bookingOf(after)?.carrier),
          added.map(({ after }) => bookingOf(after)?.trackingNumber),
          added.map(({ after }) => (after.status === 'refused' ? after.reason : undefined)),
          added.map(({ after }) => json(after.parcel?.lines)),
          added.map(({ after }) => json(after.parcel?.address)),
          added.map(({ after }) => reportDueAt(after)),
          added.map(({ after }) => after.conversation.correlationId),
          added.map(({ after }) => after.conversation.traceparent),
        ),
      );
    }
    if (moved.length > 0) {
      await tx.query(
        update(
          moved.map(({ key }) => key),
          moved.map(({ after }) => after.status),
          moved.map(({ after }) => reportDueAt(after)),
        ),
      );
    }
  },
});

function shipmentOf(row: ShipmentRow): Shipment {
  const { status } = row;
  const booking = bookingIn(row);
  const parcel = row.lines === null || row.address === null ? undefined : { lines: row.lines, address: row.address };
  const conversation: Conversation = {
    correlationId: row.correlation_id,
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
  };
  if (status === 'cancelled') {
    return { status, conversation, ...(parcel && { parcel }), ...(booking && { booking }) };
  }
  if (parcel === undefined) throw new Error(`shipment ${row.order_id} is ${status} without a parcel`);
  if (status === 'refused') {
    if (row.refusal_reason === null) throw new Error(`shipment ${row.order_id} is refused without a reason`);
    return { status, parcel, conversation, reason: row.refusal_reason };
  }
  if (booking === undefined) throw new Error(`shipment ${row.order_id} is ${status} without a booking`);
  return { status, parcel, booking, conversation, ...(row.report_due_at && { reportDueAt: row.report_due_at }) };
}

function bookingIn(row: ShipmentRow): Booking | undefined {
  if (row.shipment_id === null || row.carrier === null || row.tracking_number === null) return undefined;
  return { shipmentId: row.shipment_id as ShipmentId, carrier: row.carrier, trackingNumber: row.tracking_number };
}

function bookingOf(shipment: Shipment): Booking | undefined {
  return shipment.status === 'refused' ? undefined : shipment.booking;
}

function reportDueAt(shipment: Shipment): Date | undefined {
  return 'reportDueAt' in shipment ? shipment.reportDueAt : undefined;
}

function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

import type { OrderId } from '@millrace/contracts';
import { statement, type Transaction } from '@millrace/database';
import { localMessage } from '@millrace/messaging';
import type { CarrierReported } from '../../domain/decide-report.ts';
import type { InProcessCarrier } from './in-process-carrier.ts';

interface DueRow {
  readonly order_id: OrderId;
  readonly status: 'arranged' | 'dispatched';
  readonly correlation_id: string;
  readonly traceparent: string | null;
}

// What another replica, or a recall, has locked is left to it: it is due again at the next look, or not any more.
const findDue = statement(
  'shipment-reports-due',
  `SELECT order_id, status, correlation_id, traceparent
   FROM shipment WHERE report_due_at <= $1
   ORDER BY report_due_at LIMIT $2
   FOR UPDATE SKIP LOCKED`,
);

/** What the carrier has to report by now, oldest first, each in the conversation and trace of its order; the rows stay locked. */
export async function dueReports(
  tx: Transaction,
  carrier: InProcessCarrier,
  now: Date,
  limit: number,
): Promise<readonly CarrierReported[]> {
  const { rows } = await tx.query<DueRow>(findDue(now, limit));
  return rows.map(({ order_id: orderId, status, correlation_id: correlationId, traceparent }) =>
    localMessage(
      'CarrierReported',
      orderId,
      { orderId, ...carrier.reportOn(status, now) },
      { source: 'shipping', now, correlationId, ...(traceparent === null ? {} : { traceparent }) },
    ),
  );
}

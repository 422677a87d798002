import type { PaymentId } from '@millrace/contracts';
import { type Queryable, statement, type Transaction } from '@millrace/database';
import { type Change, keyedStore } from '@millrace/messaging';
import type { PaymentCommand } from '../domain/decide-payment.ts';
import type { CardRefusal, Charge, Payment } from '../domain/payment.ts';

interface PaymentRow {
  readonly order_id: string;
  readonly payment_id: string | null;
  readonly status: Payment['status'];
  readonly provider_reference: string | null;
  /** A bigint, which the driver gives as text. */
  readonly authorized_minor: string;
  readonly currency: string | null;
  readonly decline_reason: CardRefusal | null;
}

const SELECT = `
  SELECT order_id, payment_id, status, provider_reference, authorized_minor, currency, decline_reason
  FROM payment WHERE order_id = ANY($1::uuid[])`;

const find = statement('payment-find', SELECT);

const lock = statement('payment-lock', `${SELECT} ORDER BY order_id FOR UPDATE`);

// No ON CONFLICT: a row that appeared since the batch was loaded means that the decisions rest on an old state.
const insert = statement(
  'payment-insert',
  `INSERT INTO payment (order_id, payment_id, status, provider_reference, authorized_minor, captured_minor,
     refunded_minor, currency, decline_reason)
   SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
     $8::text[], $9::text[])`,
);

const update = statement(
  'payment-update',
  `UPDATE payment
   SET status = changed.status, captured_minor = changed.captured_minor, refunded_minor = changed.refunded_minor,
     updated_at = now()
   FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])
     AS changed (order_id, status, captured_minor, refunded_minor)
   WHERE payment.order_id = changed.order_id`,
);

/** Remembers what became of the money of each order; the order's id is the key. */
export const paymentStore = keyedStore<Payment, PaymentCommand>({
  async load(db: Queryable, orderIds: readonly string[], isLocking: boolean) {
    const { rows } = await db.query<PaymentRow>(isLocking ? lock(orderIds) : find(orderIds));
    return new Map(rows.map((row) => [row.order_id, paymentOf(row)]));
  },

  async save(tx: Transaction, changes: readonly Change<Payment>[]) {
    const added = changes.filter(({ before }) => before === undefined);
    const moved = changes.filter(({ before }) => before !== undefined);
    if (added.length > 0) {
      await tx.query(
        insert(
          added.map(({ key }) => key),
          added.map(({ after }) => chargeOf(after)?.paymentId),
          added.map(({ after }) => after.status),
          added.map(({ after }) => chargeOf(after)?.reference),
          added.map(({ after }) => chargeOf(after)?.amount.amountMinor ?? 0),
          added.map(({ after }) => capturedMinor(after)),
          added.map(({ after }) => refundedMinor(after)),
          added.map(({ after }) => chargeOf(after)?.amount.currency),
          added.map(({ after }) => (after.status === 'declined' ? after.reason : undefined)),
        ),
      );
    }
    if (moved.length > 0) {
      await tx.query(
        update(
          moved.map(({ key }) => key),
          moved.map(({ after }) => after.status),
          moved.map(({ after }) => capturedMinor(after)),
          moved.map(({ after }) => refundedMinor(after)),
        ),
      );
    }
  },
});

function paymentOf(row: PaymentRow): Payment {
  const { status } = row;
  switch (status) {
    case 'declined':
      if (row.decline_reason === null) throw new Error(`payment ${row.order_id} is declined without a reason`);
      return { status, reason: row.decline_reason };
    case 'voided': {
      const charge = chargeIn(row);
      return charge === undefined ? { status } : { status, charge };
    }
    case 'authorized':
    case 'captured':
    case 'refunded': {
      const charge = chargeIn(row);
      if (charge === undefined) throw new Error(`payment ${row.order_id} is ${status} without a charge`);
      return { status, charge };
    }
  }
}

function chargeIn(row: PaymentRow): Charge | undefined {
  if (row.payment_id === null || row.provider_reference === null || row.currency === null) return undefined;
  return {
    paymentId: row.payment_id as PaymentId,
    reference: row.provider_reference,
    amount: { amountMinor: Number(row.authorized_minor), currency: row.currency },
  };
}

function chargeOf(payment: Payment): Charge | undefined {
  return payment.status === 'declined' ? undefined : payment.charge;
}

function capturedMinor(payment: Payment): number {
  return payment.status === 'captured' || payment.status === 'refunded' ? payment.charge.amount.amountMinor : 0;
}

function refundedMinor(payment: Payment): number {
  return payment.status === 'refunded' ? payment.charge.amount.amountMinor : 0;
}

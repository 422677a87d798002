import type { NotificationKind, OrderId } from '@millrace/contracts';
import { statement } from '@millrace/database';
import { keyedStore } from '@millrace/messaging';
import type { Notification } from '../domain/decide-notification.ts';
import { kindOf, type TellingEvent } from '../domain/order-mail.ts';

interface Row {
  readonly order_id: OrderId;
  readonly kind: NotificationKind;
  readonly status: 'sent' | 'failed';
  readonly message_id: string;
  readonly recipient: string;
  readonly recorded_at: Date;
  readonly reason: string | null;
}

const UUID_LENGTH = 36;

/** What customers were told, by order and kind. A row is written once and never changes, so none needs to be locked. */
export const notifications = keyedStore<Notification, TellingEvent>({
  keyOf: (event) => keyOf(event.body.orderId, kindOf(event)),
  load: async (db, keys) => {
    const { rows } = await db.query<Row>(
      load(
        keys.map((key) => key.slice(0, UUID_LENGTH)),
        keys.map((key) => key.slice(UUID_LENGTH + 1)),
      ),
    );
    return new Map(rows.map((row) => [keyOf(row.order_id, row.kind), notificationOf(row)]));
  },
  save: async (tx, changes) => {
    const added = changes.map(({ after }) => after);
    await tx.query(
      add(
        added.map(({ orderId }) => orderId),
        added.map(({ kind }) => kind),
        added.map(({ status }) => status),
        added.map(({ messageId }) => messageId),
        added.map(({ recipient }) => recipient),
        added.map(({ recordedAt }) => recordedAt.toISOString()),
        added.map(({ reason }) => reason ?? null),
      ),
    );
  },
});

const load = statement(
  'notification.load',
  `SELECT n.order_id, n.kind, n.status, n.message_id, n.recipient, n.recorded_at, n.reason
   FROM unnest($1::uuid[], $2::text[]) AS k(order_id, kind) JOIN notification n USING (order_id, kind)`,
);

// A row that is there already was written by another replica a moment ago: the customer was told, which is all it says.
const add = statement(
  'notification.add',
  `INSERT INTO notification (order_id, kind, status, message_id, recipient, recorded_at, reason)
   SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::timestamptz[], $7::text[])
   ON CONFLICT (order_id, kind) DO NOTHING`,
);

function keyOf(orderId: string, kind: string): string {
  return `${orderId} ${kind}`;
}

function notificationOf(row: Row): Notification {
  return {
    orderId: row.order_id,
    kind: row.kind,
    status: row.status,
    messageId: row.message_id,
    recipient: row.recipient,
    recordedAt: row.recorded_at,
    ...(row.reason === null ? {} : { reason: row.reason }),
  };
}

import type { MessageOf, NotificationFailed, NotificationSent } from '@millrace/contracts';
import { statement, type Transaction } from '@millrace/database';

const insertNotifications = statement(
  'checkout.insert-notifications',
  `INSERT INTO order_notifications (message_id, order_id, type, kind, at)
   SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
   ON CONFLICT (message_id) DO NOTHING`,
);

/** Keeps what customers were told, each message once however often it is projected. */
export async function keepNotifications(
  tx: Transaction,
  messages: readonly MessageOf<typeof NotificationSent | typeof NotificationFailed>[],
): Promise<void> {
  await tx.query(
    insertNotifications(
      messages.map(({ id }) => id),
      messages.map(({ body }) => body.orderId),
      messages.map(({ type }) => type),
      messages.map(({ body }) => body.kind),
      messages.map(({ time }) => time),
    ),
  );
}

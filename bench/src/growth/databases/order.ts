import {
  anotherKey,
  anotherParcel,
  type Copying,
  earlier,
  earlierText,
  inbox,
  messagingTables,
  same,
} from '../copying.ts';

// A line per decision: type, service, message id, said at, decided at, what was said then; see the history of the checkout.
const HISTORY = `(
  SELECT string_agg(
    concat_ws(' ',
      split_part(line, ' ', 1),
      split_part(line, ' ', 2),
      pg_temp.earlier(split_part(line, ' ', 3)::uuid, $1::bigint),
      split_part(line, ' ', 4)::bigint - $1::bigint,
      split_part(line, ' ', 5)::bigint - $1::bigint,
      split_part(line, ' ', 6)) || E'\\n', '' ORDER BY nth)
  FROM string_to_table(rtrim(history, E'\\n'), E'\\n') WITH ORDINALITY AS entry (line, nth))`;

export const order: Copying = {
  copied: {
    orders: {
      placedBy: 'order_id',
      columns: {
        order_id: earlier,
        customer_id: same,
        lines: same,
        total_minor: same,
        currency: same,
        shipping_address: same,
        contact: same,
        payment_token: same,
        placed_at: earlier,
      },
    },
    checkouts: {
      placedBy: 'order_id',
      columns: {
        order_id: earlier,
        stage: same,
        status: same,
        version: same,
        reason: same,
        cancellation_asked: same,
        stock_is_back: same,
        stock_undo_pending: same,
        payment_undo_pending: same,
        carrier: same,
        tracking_number: anotherParcel,
        confirmed_at: earlier,
        ended_at: earlier,
        deadline: earlier,
        wake_at: earlier,
        correlation_id: earlierText,
        traceparent: same,
        history: () => HISTORY,
      },
    },
    idempotency_keys: {
      placedBy: 'order_id',
      columns: { key: anotherKey, request_hash: same, order_id: earlier, created_at: earlier },
    },
    order_notifications: {
      placedBy: 'message_id',
      columns: { message_id: earlier, order_id: earlier, type: same, kind: same, at: earlier },
    },
    'messaging.inbox': inbox,
  },
  broughtAlong: {},
  remembered: [],
  doNotGrow: [...messagingTables, 'products'],
  growAtTheirEnd: ['orders_pkey', 'order_notifications_pkey'],
};

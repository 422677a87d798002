import { type Copying, earlier, inbox, messagingTables, same } from '../copying.ts';

export const notification: Copying = {
  copied: {
    notification: {
      placedBy: 'order_id',
      columns: {
        order_id: earlier,
        kind: same,
        status: same,
        message_id: earlier,
        recipient: same,
        recorded_at: earlier,
        reason: same,
      },
    },
    'messaging.inbox': inbox,
  },
  broughtAlong: {},
  remembered: [],
  doNotGrow: messagingTables,
  growAtTheirEnd: [
    'notification_recorded_at_order_id_kind_idx',
    'notification_recipient_recorded_at_order_id_kind_idx',
  ],
};

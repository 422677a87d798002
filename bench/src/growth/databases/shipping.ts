import { anotherParcel, type Copying, earlier, earlierText, inbox, messagingTables, same } from '../copying.ts';

export const shipping: Copying = {
  copied: {
    shipment: {
      placedBy: 'order_id',
      columns: {
        order_id: earlier,
        shipment_id: earlier,
        status: same,
        carrier: same,
        tracking_number: anotherParcel,
        refusal_reason: same,
        lines: same,
        address: same,
        report_due_at: earlier,
        correlation_id: earlierText,
        traceparent: same,
        updated_at: earlier,
      },
    },
    'messaging.inbox': inbox,
  },
  broughtAlong: {},
  remembered: [],
  doNotGrow: messagingTables,
  growAtTheirEnd: ['messaging.inbox_pkey'],
};

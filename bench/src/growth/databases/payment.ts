import { type Copying, earlier, earlierCharge, inbox, messagingTables, same } from '../copying.ts';

export const payment: Copying = {
  copied: {
    payment: {
      placedBy: 'order_id',
      columns: {
        order_id: earlier,
        payment_id: earlier,
        status: same,
        provider_reference: earlierCharge,
        authorized_minor: same,
        captured_minor: same,
        refunded_minor: same,
        currency: same,
        decline_reason: same,
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

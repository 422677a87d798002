import { type Copying, earlier, earlierCharge, earlierText, same } from '../copying.ts';

export const paymentProvider: Copying = {
  copied: {
    charge: {
      placedBy: 'order_id',
      columns: {
        reference: earlierCharge,
        order_id: earlier,
        kind: same,
        amount_minor: same,
        currency: same,
        decline_reason: same,
        // The id of the command that asked for it.
        idempotency_key: earlierText,
        at: earlier,
      },
    },
  },
  broughtAlong: {},
  remembered: [],
  doNotGrow: ['failed_attempt'],
  growAtTheirEnd: [],
};

import { type Copying, earlier, earlierText, inbox, messagingTables, placedTable, same } from '../copying.ts';

export const inventory: Copying = {
  copied: {
    reservation: {
      placedBy: 'order_id',
      columns: {
        order_id: earlier,
        status: same,
        lines: same,
        missing: same,
        held_until: earlier,
        correlation_id: earlierText,
        traceparent: same,
      },
    },
    'messaging.inbox': inbox,
  },
  broughtAlong: {
    stock: `
      UPDATE stock SET on_hand = on_hand - sold.pieces
        FROM (SELECT line->>'sku' AS sku, sum((line->>'quantity')::int) AS pieces
                FROM ${placedTable('reservation')}, jsonb_array_elements(lines) AS line
               WHERE status = 'committed' GROUP BY 1) AS sold
       WHERE stock.sku = sold.sku`,
  },
  remembered: [],
  doNotGrow: [...messagingTables, 'product', 'restock'],
  growAtTheirEnd: ['messaging.inbox_pkey'],
};

import { type Copying, inbox, messagingTables, placedTable } from '../copying.ts';

export const analytics: Copying = {
  copied: { 'messaging.inbox': inbox },
  broughtAlong: {
    // Orders are copied by whole minutes.
    order_minute: `
      INSERT INTO order_minute AS sum (minute, currency, placed, confirmed, completed, cancelled, revenue_minor)
      SELECT pg_temp.earlier(minute, $1::bigint), currency, placed, confirmed, completed, cancelled, revenue_minor
        FROM ${placedTable('order_minute')}
      ON CONFLICT (minute, currency) DO UPDATE
        SET placed = sum.placed + excluded.placed, confirmed = sum.confirmed + excluded.confirmed,
            completed = sum.completed + excluded.completed, cancelled = sum.cancelled + excluded.cancelled,
            revenue_minor = sum.revenue_minor + excluded.revenue_minor`,
    // The catalogue was listed once, whatever was ordered from it.
    tally: `
      UPDATE tally SET times = tally.times + placed.times FROM ${placedTable('tally')} AS placed
       WHERE (tally.subject, tally.item) = (placed.subject, placed.item) AND placed.item <> 'ProductListed'`,
    product_sale: `
      UPDATE product_sale AS sale SET units = sale.units + placed.units, revenue_minor = sale.revenue_minor + placed.revenue_minor
        FROM ${placedTable('product_sale')} AS placed
       WHERE (sale.sku, sale.currency) = (placed.sku, placed.currency)`,
    latency_bucket: `
      UPDATE latency_bucket AS counted SET orders = counted.orders + placed.orders
        FROM ${placedTable('latency_bucket')} AS placed
       WHERE (counted.step, counted.bucket) = (placed.step, placed.bucket)`,
  },
  remembered: ['order_minute', 'tally', 'product_sale', 'latency_bucket'],
  doNotGrow: [...messagingTables, 'stock_out'],
  growAtTheirEnd: ['messaging.inbox_pkey'],
};

import type { Product, Screen } from '@millrace/shop';
import type { Shop } from '../shop.ts';

/** Shows where to go from here. */
export function showUrls({ urls, mailUrl, brokers, postgres }: Shop, product: Product, screen: Screen): void {
  const { color } = screen;
  const line = (text?: string) => screen.line(text);
  const entry = (what: string, where: string) => line(`  ${what.padEnd(16)} ${color.cyan(where)}`);
  line();
  line(color.bold('The shop is open'));
  entry('order API', `${urls.order}/docs`);
  entry('what it sells', `${urls.order}/products`);
  entry('stock and prices', `${urls.inventory}/docs`);
  entry('mails', mailUrl);
  entry('figures', `${urls.analytics}/funnel`);
  entry('health', `${urls.order}/health/ready`);
  entry('metrics', `${urls.order}/metrics`);
  entry(
    'other services',
    `payment ${urls.payment}/docs  shipping ${urls.shipping}/docs  notification ${urls.notification}/docs`,
  );
  entry('Kafka', brokers.join(', '));
  entry('PostgreSQL', postgres.superuserUrl);
  line();
  line('Place an order, and follow it with the links in the answer:');
  line();
  line(
    `  curl -i ${urls.order}/orders -H 'content-type: application/json' -H "idempotency-key: $(date +%s)" -d '${exampleOrder(product)}'`,
  );
  line();
}

function exampleOrder({ sku, price }: Product): string {
  return JSON.stringify({
    customerId: 'customer-1',
    lines: [{ sku, quantity: 1 }],
    currency: price.currency,
    shippingAddress: {
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      street: 'Marktplatz 1',
      postcode: '10115',
      city: 'Berlin',
      country: 'DE',
    },
    paymentToken: 'tok_approved',
  });
}

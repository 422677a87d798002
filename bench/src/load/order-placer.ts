import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';

// Ordered in turn, so that no single row of stock is everybody's.
const SKUS = ['MUG-BLUE', 'MUG-WHITE', 'TEA-GREEN', 'TEA-BLACK'];

/** A customer's order over HTTP. */
export class OrderPlacer {
  readonly #url: URL;
  readonly #agent: Agent;
  #next = 0;

  /** `connections`: requests that may be under way at once; more wait for one of them to be answered. */
  constructor(orderApi: string, connections: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#url = new URL('/orders', orderApi);
  }

  /** Resolves with the order's id when it is accepted. @throws {Error} any answer but 202. */
  place(): Promise<string> {
    const sku = SKUS[this.#next++ % SKUS.length];
    const body = JSON.stringify({
      customerId: `bench-${this.#next % 1000}`,
      lines: [{ sku, quantity: 1 }],
      currency: 'EUR',
      shippingAddress: {
        name: 'Bench Mark',
        email: 'bench@example.com',
        street: 'Mill Lane 1',
        postcode: '10115',
        city: 'Berlin',
        country: 'DE',
      },
      paymentToken: 'tok_approved',
    });
    return new Promise((resolve, reject) => {
      const call = request(
        this.#url,
        {
          method: 'POST',
          agent: this.#agent,
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            'idempotency-key': randomUUID(),
          },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (text += chunk));
          response.on('end', () => {
            if (response.statusCode === 202) resolve((JSON.parse(text) as { orderId: string }).orderId);
            else reject(new Error(`POST /orders answered ${response.statusCode}: ${text}`));
          });
          response.on('error', reject);
        },
      );
      call.on('error', reject);
      call.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

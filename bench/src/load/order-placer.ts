import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';

// Ordered in turn, so that no single row of stock is everybody's.
const SKUS = ['MUG-BLUE', 'MUG-WHITE', 'TEA-GREEN', 'TEA-BLACK'];

/** The shop asks to come again later. */
export class TooBusyError extends Error {
  readonly retryAfterMs: number;

  constructor(answer: string, retryAfterMs: number) {
    super(answer);
    this.name = 'TooBusyError';
    this.retryAfterMs = retryAfterMs;
  }
}

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

  /** Resolves with the order's id when it is accepted. @throws {TooBusyError} 503 with `Retry-After` @throws {Error} any other answer. */
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
    return this.#post(body, randomUUID());
  }

  #post(body: string, idempotencyKey: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = request(
        this.#url,
        {
          method: 'POST',
          agent: this.#agent,
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            'idempotency-key': idempotencyKey,
          },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (text += chunk));
          response.on('end', () => {
            if (response.statusCode === 202) return resolve((JSON.parse(text) as { orderId: string }).orderId);
            const answer = `POST /orders answered ${response.statusCode}: ${text}`;
            const retryAfterSeconds = Number(response.headers['retry-after']);
            const isTooBusy = response.statusCode === 503 && retryAfterSeconds > 0;
            reject(isTooBusy ? new TooBusyError(answer, retryAfterSeconds * 1000) : new Error(answer));
          });
          response.on('error', reject);
        },
      );
      call.on('error', (error: NodeJS.ErrnoException) => {
        // The server closed a connection that had been idle while the request was on its way. The same key: never two orders.
        if (call.reusedSocket && error.code === 'ECONNRESET') resolve(this.#post(body, idempotencyKey));
        else reject(error);
      });
      call.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

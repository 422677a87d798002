import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where the services of a shop are, without a slash at the end. The tour knows a shop by these and nothing else. */
export interface ShopUrls {
  readonly order: string;
  readonly inventory: string;
  readonly payment: string;
}

export interface Money {
  readonly amountMinor: number;
  readonly currency: string;
}

export interface Stock {
  readonly onHand: number;
  readonly reserved: number;
  readonly available: number;
}

export interface Product {
  readonly sku: string;
  readonly name: string;
  readonly price: Money;
  readonly stock: Stock;
}

export interface PlaceOrder {
  readonly customerId: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly currency: string;
  readonly shippingAddress: Readonly<Record<'name' | 'email' | 'street' | 'postcode' | 'city' | 'country', string>>;
  readonly paymentToken: string;
}

export interface Order {
  readonly orderId: string;
  readonly status: 'placed' | 'confirmed' | 'dispatched' | 'completed' | 'cancelling' | 'cancelled';
  readonly reason?: string;
  readonly total: Money;
  readonly tracking?: { readonly carrier: string; readonly trackingNumber: string };
}

export interface TimelineEntry {
  readonly at: string;
  readonly service: string;
  readonly type: string;
  readonly kind: 'event' | 'command' | 'request' | 'deadline';
  readonly direction: 'said' | 'heard';
  readonly about?: string;
  readonly sinceStartMs: number;
}

export interface Payment {
  readonly status: 'authorized' | 'declined' | 'captured' | 'voided' | 'refunded';
  readonly capturedMinor: number;
  readonly refundedMinor: number;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** Where the request is recorded; absent when its trace was not sampled. */
  readonly traceId?: string;
}

const TIMEOUT_MS = 10_000;
const POLL_MS = 200;

/** What a customer and a shopkeeper can ask of the shop by HTTP. Rejects with the answer when it is no 2xx. */
export class ShopClient {
  readonly #urls: ShopUrls;

  constructor(urls: ShopUrls) {
    this.#urls = urls;
  }

  /** The raw answer to a placement, whatever its status. */
  async place(order: PlaceOrder, key: string = randomUUID()): Promise<Answer> {
    return request(`${this.#urls.order}/orders`, { method: 'POST', body: order, headers: { 'idempotency-key': key } });
  }

  async order(orderId: string): Promise<Order> {
    return wanted(await request(`${this.#urls.order}/orders/${orderId}`));
  }

  async ordersOf(customerId: string): Promise<readonly Order[]> {
    const page = await request(`${this.#urls.order}/orders?customer=${encodeURIComponent(customerId)}`);
    return wanted<{ orders: readonly Order[] }>(page).orders;
  }

  async timeline(orderId: string): Promise<readonly TimelineEntry[]> {
    const timeline = await request(`${this.#urls.order}/orders/${orderId}/timeline`);
    return wanted<{ entries: readonly TimelineEntry[] }>(timeline).entries;
  }

  /** The raw answer to a wish to cancel, whatever its status. */
  async cancel(orderId: string): Promise<Answer> {
    return request(`${this.#urls.order}/orders/${orderId}/cancellation`, { method: 'POST' });
  }

  /** Whether the order service sells a product, which it does shortly after the product was listed. */
  async isSold(sku: string): Promise<boolean> {
    const answer = await request(`${this.#urls.order}/products/${sku}`);
    if (answer.status === 404) return false;
    wanted(answer);
    return true;
  }

  /** The first products by sku, at most 200. */
  async products(): Promise<readonly Product[]> {
    return wanted<{ products: readonly Product[] }>(await request(`${this.#urls.inventory}/products?limit=200`))
      .products;
  }

  async listProduct(product: { sku: string; name: string; price: Money; stock: number }): Promise<Product> {
    return wanted(await request(`${this.#urls.inventory}/products`, { method: 'POST', body: product }));
  }

  async stockOf(sku: string): Promise<Stock> {
    const { onHand, reserved, available } = wanted<Stock>(await request(`${this.#urls.inventory}/stock/${sku}`));
    return { onHand, reserved, available };
  }

  /** Undefined when the payment service never heard of the order. */
  async paymentOf(orderId: string): Promise<Payment | undefined> {
    const answer = await request(`${this.#urls.payment}/payments/${orderId}`);
    return answer.status === 404 ? undefined : wanted<Payment>(answer);
  }
}

interface Request {
  readonly method?: 'GET' | 'POST';
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

async function request(url: string, options: Request = {}): Promise<Answer & { url: string }> {
  const { method = 'GET', body, headers = {} } = options;
  const init: RequestInit = {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  for (const end = Date.now() + TIMEOUT_MS; ; await sleep(POLL_MS)) {
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
      const text = await response.text();
      const traceId = sampledTraceOf(response.headers.get('traceresponse'));
      return {
        url: `${method} ${url}`,
        status: response.status,
        body: text === '' ? undefined : JSON.parse(text),
        ...(traceId === undefined ? {} : { traceId }),
      };
    } catch (error) {
      // A service that is being restarted is asked again, as a person would press reload; only questions may be repeated.
      if (method === 'GET' && Date.now() < end) continue;
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new Error(`${method} ${url} was not answered: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause: error,
      });
    }
  }
}

/** The trace id of a W3C `traceresponse` whose sampled flag is set. */
export function sampledTraceOf(header: string | null): string | undefined {
  const [, traceId, flags = '0'] = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/.exec(header ?? '') ?? [];
  return (Number.parseInt(flags, 16) & 1) === 1 ? traceId : undefined;
}

function wanted<T>({ url, status, body }: Answer & { url: string }): T {
  if (status < 200 || status > 299) throw new Error(`${url} answered ${status}: ${JSON.stringify(body)}`);
  return body as T;
}

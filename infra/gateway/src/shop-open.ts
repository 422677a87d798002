import { randomBytes } from 'node:crypto';
import type { Dispatcher } from 'undici';
import type { ReadinessCheck } from '@millrace/observability';

// Below the 2 s that a readiness check may take, so that the reason is known.
const TIMEOUT_MS = 1_500;

/**
 * Whether an order can be placed: the order API is ready and has something to sell. The catalog never gets empty again, so
 * products are asked for until there was one.
 */
export function shopOpen(dispatcher: Dispatcher, origin: string): ReadinessCheck {
  let sells = false;
  const ask = (path: string) =>
    dispatcher.request({
      origin,
      path,
      method: 'GET',
      headers: notTraced(),
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
  return async () => {
    const readiness = await ask('/health/ready');
    await readiness.body.dump();
    if (readiness.statusCode !== 200)
      return `the order API is not ready, its /health/ready says why (${readiness.statusCode})`;
    if (sells) return undefined;
    const { statusCode, body } = await ask('/products?limit=1');
    const { products = [] } = (await body.json()) as { readonly products?: readonly unknown[] };
    if (statusCode !== 200) return `the order API does not list its products (${statusCode})`;
    sells = products.length > 0;
    return sells ? undefined : 'the order API has no products to sell yet';
  };
}

/** Says that nobody records this request: it comes every few seconds and would bury the traces of orders. */
function notTraced(): Record<string, string> {
  return { traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-00` };
}

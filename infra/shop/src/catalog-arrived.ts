import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceUrls } from './running-shop.ts';

const TIMEOUT_MS = 30_000;
const POLL_MS = 25;
const PAGE_SIZE = 100;

interface Product {
  readonly sku: string;
  readonly price: { readonly amountMinor: number; readonly currency: string };
}

/** Resolves when the order API sells each product that the inventory service lists, at the same price. */
export async function catalogArrived(urls: ServiceUrls): Promise<void> {
  const listed = prices(await allProducts(urls.inventory));
  for (const end = Date.now() + TIMEOUT_MS; ; await sleep(POLL_MS)) {
    const sold = prices(await allProducts(urls.order));
    const missing = [...listed].filter(([sku, price]) => sold.get(sku) !== price).map(([sku]) => sku);
    if (missing.length === 0) return;
    if (Date.now() > end) {
      throw new Error(
        `${missing.length} of ${listed.size} products did not reach the order service within ${TIMEOUT_MS} ms, such as ${missing[0]}.`,
      );
    }
  }
}

function prices(products: readonly Product[]): Map<string, string> {
  return new Map(products.map(({ sku, price }) => [sku, `${price.amountMinor} ${price.currency}`]));
}

/** Every page of GET /products, which both services answer alike: the header Link names the next page. */
async function allProducts(url: string): Promise<Product[]> {
  const products: Product[] = [];
  for (let path: string | undefined = `/products?limit=${PAGE_SIZE}`; path !== undefined;) {
    const response = await fetch(url + path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`GET ${url}${path} answered ${response.status}: ${await response.text()}`);
    const page = (await response.json()) as { readonly products: Product[] };
    products.push(...page.products);
    path = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
  }
  return products;
}

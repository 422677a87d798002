import { randomUUID } from 'node:crypto';
import type { Product } from '../tour/shop-client.ts';
import { isTourSku } from '../tour/stage.ts';
import type { Assortment } from './customer-mix.ts';

const TIMEOUT_MS = 10_000;
const PAGE_SIZE = 200;

/** When a product gets more, and how many. */
export interface Refill {
  readonly below: number;
  readonly add: number;
}

/** What is sold, and what of it there was when somebody looked; the rest is sold out on purpose. */
interface StockedAssortment extends Assortment {
  readonly inStock: ReadonlySet<string>;
}

/** The shelves of a shop, by its inventory API. Rejects when that does not answer. */
export class Shelves {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** What is sold in the currency that most is sold in; most popular is what there is most of. */
  async assortment(): Promise<StockedAssortment> {
    const products = (await this.#products()).filter(({ sku }) => !isTourSku(sku));
    const byCurrency = Map.groupBy(products, ({ price }) => price.currency);
    const [largest] = [...byCurrency].toSorted(([, one], [, other]) => other.length - one.length);
    if (largest === undefined) throw new Error('the shop sells nothing yet');
    const [currency, sold] = largest;
    const byPopularity = sold.toSorted(
      (one, other) => other.stock.onHand - one.stock.onHand || one.sku.localeCompare(other.sku),
    );
    const inStock = byPopularity.filter(({ stock }) => stock.onHand > 0);
    return {
      currency,
      skus: byPopularity.map(({ sku }) => sku),
      inStock: new Set(inStock.map(({ sku }) => sku)),
    };
  }

  /** Lets more arrive of what runs low. Resolves to the number of products. */
  async refill(skus: ReadonlySet<string>, { below, add }: Refill): Promise<number> {
    const low = (await this.#products()).filter(({ sku, stock }) => skus.has(sku) && stock.available < below);
    for (const { sku } of low) {
      await this.#ask(`/products/${sku}/stock`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
        body: JSON.stringify({ add }),
      });
    }
    return low.length;
  }

  async #products(): Promise<readonly Product[]> {
    const products: Product[] = [];
    for (let path: string | undefined = `/products?limit=${PAGE_SIZE}`; path !== undefined;) {
      const response: Response = await this.#ask(path);
      products.push(...((await response.json()) as { readonly products: readonly Product[] }).products);
      path = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
    }
    return products;
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(this.#url + path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response;
  }
}

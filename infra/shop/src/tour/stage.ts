import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Answer, Order, PlaceOrder, Product, ShopClient, TimelineEntry } from './shop-client.ts';

/** One thing that a scene promised, and whether it came true. */
export interface Check {
  readonly sentence: string;
  readonly holds: boolean;
  /** What was expected and what is, or what went wrong; only where it does not hold. */
  readonly difference?: string;
}

/** An order that was accepted. */
export interface PlacedOrder {
  readonly orderId: string;
  /** Under which the order is recorded; absent when its trace was not sampled. */
  readonly traceId?: string;
}

/** Watches the tour. */
export interface Audience {
  /** Hears of each order once, when it was accepted. */
  placed?(order: PlacedOrder): void;
  /** A message of an order's life, in the moment in which the order service knows of it. */
  heard(entry: TimelineEntry): void;
  /** Something worth a line that is neither a message nor a check. */
  told(line: string): void;
  checked(check: Check): void;
}

/** What a scene is about, told in one sentence, and how it goes. */
export interface Scene {
  readonly name: string;
  readonly story: string;
  play(stage: Stage): Promise<void>;
}

const POLL_MS = 30;

// A step takes milliseconds; this is for a machine that is busy with something else.
const PATIENCE_MS = 30_000;

// How orders end, and what the customer is told then.
const ENDS = [
  { type: 'OrderCompleted', mail: 'order-dispatched' },
  { type: 'OrderCancelled', mail: 'order-cancelled' },
];

// Skus that begin so belong to a tour, which counts them: nobody else buys them.
const TOUR_PREFIX = 'TOUR-';

export function tourSku(name: string, run: string): string {
  return `${TOUR_PREFIX}${name}-${run}`;
}

export function isTourSku(sku: string): boolean {
  return sku.startsWith(TOUR_PREFIX);
}

/** Where scenes are played: the shop, the customers, and an audience that watches. */
export class Stage {
  readonly shop: ShopClient;
  /** What customers order where it does not matter what. */
  readonly product: Product;
  /** Sets the skus and customers of this tour apart from those of every other. */
  readonly run: string;
  readonly #audience: Audience;

  constructor(shop: ShopClient, product: Product, run: string, audience: Audience) {
    this.shop = shop;
    this.product = product;
    this.run = run;
    this.#audience = audience;
  }

  tell(line: string): void {
    this.#audience.told(line);
  }

  /** A sku that no other tour has. */
  sku(name: string): string {
    return tourSku(name, this.run);
  }

  /** An order as the customer would send it. */
  wish(
    customer: string,
    changes: { sku?: string; quantity?: number; paymentToken?: string; postcode?: string } = {},
  ): PlaceOrder {
    const { sku = this.product.sku, quantity = 1, paymentToken = 'tok_approved', postcode = '10115' } = changes;
    const customerId = `${customer}-${this.run}`.toLowerCase();
    const name = customer.charAt(0).toUpperCase() + customer.slice(1);
    return {
      customerId,
      lines: [{ sku, quantity }],
      currency: this.product.price.currency,
      shippingAddress: {
        name,
        email: `${customerId}@example.com`,
        street: 'Marktplatz 1',
        postcode,
        city: 'Berlin',
        country: 'DE',
      },
      paymentToken,
    };
  }

  /** Places an order and returns its id; rejects unless it was accepted. */
  async place(wish: PlaceOrder, key?: string): Promise<string> {
    const { status, body } = await this.ask(wish, key);
    if (status !== 202) throw new Error(`The order was not accepted: ${status} ${JSON.stringify(body)}`);
    return (body as { orderId: string }).orderId;
  }

  /** Sends a wish and returns the raw answer, whatever its status. */
  async ask(wish: PlaceOrder, key?: string): Promise<Answer> {
    const { status, body, traceId } = await this.shop.place(wish, key);
    if (status === 202) this.#announce((body as { orderId: string }).orderId, traceId);
    return { status, body };
  }

  readonly #placed = new Set<string>();

  #announce(orderId: string, traceId: string | undefined): void {
    if (this.#placed.has(orderId)) return;
    this.#placed.add(orderId);
    this.#audience.placed?.({ orderId, ...(traceId === undefined ? {} : { traceId }) });
  }

  /** Lists a product and resolves when the order service sells it. */
  async list(sku: string, name: string, stock: number): Promise<void> {
    await this.shop.listProduct({ sku, name, price: this.product.price, stock });
    await this.until(`${sku} is sold`, () => this.shop.isSold(sku));
  }

  /** Shows the messages of an order as they come, until its end and until the customer was told of it. */
  follow(orderId: string): Promise<readonly TimelineEntry[]> {
    return this.#follow(orderId, `order ${orderId} ended and the customer was told`, (entries) =>
      ENDS.some(
        ({ type, mail }) => entries.some((entry) => entry.type === type) && entries.some(({ about }) => about === mail),
      ),
    );
  }

  /** Shows the messages of an order as they come, until one of this type is among them. */
  followUntil(orderId: string, type: string): Promise<readonly TimelineEntry[]> {
    return this.#follow(orderId, `${type} of order ${orderId}`, (entries) =>
      entries.some((entry) => entry.type === type),
    );
  }

  readonly #shown = new Set<string>();

  async #follow(
    orderId: string,
    what: string,
    isOver: (entries: readonly TimelineEntry[]) => boolean | Promise<boolean>,
  ): Promise<readonly TimelineEntry[]> {
    let entries: readonly TimelineEntry[] = [];
    await this.until(what, async () => {
      entries = await this.shop.timeline(orderId);
      for (const entry of entries) this.#show(orderId, entry);
      return isOver(entries);
    });
    return entries;
  }

  #show(orderId: string, entry: TimelineEntry): void {
    const id = [orderId, entry.at, entry.service, entry.type, entry.about].join(' ');
    if (this.#shown.has(id)) return;
    this.#shown.add(id);
    this.#audience.heard(entry);
  }

  /** Waits for a fact. Rejects when it takes longer than anything in this shop should. */
  async until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    for (const end = Date.now() + PATIENCE_MS; !(await isSo()); await sleep(POLL_MS)) {
      if (Date.now() > end) throw new Error(`Not so within ${PATIENCE_MS / 1000} s: ${what}.`);
    }
  }

  check(sentence: string, is: unknown, due: unknown): void {
    const holds = isDeepStrictEqual(is, due);
    const difference = `expected ${JSON.stringify(due)}, and it is ${JSON.stringify(is)}`;
    this.#audience.checked({ sentence, holds, ...(holds ? {} : { difference }) });
  }

  /** Says that a scene came to no end. */
  breakOff(error: unknown): void {
    const difference = error instanceof Error ? error.message : String(error);
    this.#audience.checked({ sentence: 'the scene comes to its end', holds: false, difference });
  }

  /** Like `check`, for what comes true shortly after the order's end. */
  async checkSoon(sentence: string, look: () => Promise<unknown>, due: unknown): Promise<void> {
    let is: unknown;
    try {
      await this.until(sentence, async () => isDeepStrictEqual((is = await look()), due));
    } catch (error) {
      if (isDeepStrictEqual(is, due)) throw error;
    }
    this.check(sentence, is, due);
  }

  /** Checks how an order ended, and for which reason if it was cancelled. */
  async checkEnd(orderId: string, status: Order['status'], reason?: string): Promise<void> {
    const order = await this.shop.order(orderId);
    const sentence = reason === undefined ? `the order is ${status}` : `the order is ${status}: ${reason}`;
    this.check(sentence, [order.status, order.reason], [status, reason]);
  }

  /** Checks that the customer was told these things, each once, and nothing else. */
  checkTold(entries: readonly TimelineEntry[], kinds: readonly string[]): void {
    const told = entries.filter(({ type }) => type === 'NotificationSent').map(({ about }) => about ?? '');
    this.check(`the customer was told once: ${kinds.join(', ')}`, byName(told), byName(kinds));
  }
}

function byName(names: readonly string[]): string[] {
  return names.toSorted((one, other) => one.localeCompare(other));
}

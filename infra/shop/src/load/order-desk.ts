import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Order } from '../tour/shop-client.ts';
import type { Visit } from './customer-mix.ts';
import type { Tally } from './tally.ts';

const TIMEOUT_MS = 10_000;

// While the API is away it is asked again after this long, and then after twice as long, up to the longest pause.
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

// More orders than this are not followed to their end at the same time: looking costs the shop more than ordering.
const MAX_FOLLOWED = 200;
const LOOK_EVERY_MS = 2_000;
const FOLLOW_FOR_MS = 120_000;

const CONFIRMED = new Set(['confirmed', 'dispatched', 'completed']);

/** Customers at the order API. Everything that goes wrong is counted, nothing rejects. */
export class OrderDesk {
  readonly #url: string;
  readonly #tally: Tally;
  readonly #stop: AbortSignal;
  #followed = 0;
  #closedUntil = 0;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(url: string, tally: Tally, stop: AbortSignal) {
    this.#url = url;
    this.#tally = tally;
    this.#stop = stop;
  }

  /** The API is away, or has asked for a pause. */
  get isClosed(): boolean {
    return performance.now() < this.#closedUntil;
  }

  /** One customer: orders, perhaps twice, and perhaps cancels. Resolves when the order was answered. */
  async serve(visit: Visit): Promise<void> {
    const key = randomUUID();
    const orderId = await this.#place(visit, key);
    if (orderId === undefined) return;
    if (visit.repeats) await this.#repeat(visit, key, orderId);
    if (visit.cancelsAfterMs !== undefined) void this.#cancel(orderId, visit.cancelsAfterMs);
    void this.#follow(orderId);
  }

  async #place(visit: Visit, key: string): Promise<string | undefined> {
    const startedAt = performance.now();
    const answer = await this.#post('/orders', visit.order, key);
    if (answer === undefined) return undefined;
    if (answer.status !== 202) {
      this.#tally.refused(answer.status);
      return undefined;
    }
    const orderId = orderIdOf(answer.body);
    if (orderId === undefined) this.#tally.failed();
    else this.#tally.placed(performance.now() - startedAt);
    return orderId;
  }

  async #repeat(visit: Visit, key: string, orderId: string): Promise<void> {
    const answer = await this.#post('/orders', visit.order, key);
    if (answer?.status !== 202) return;
    const repeatedId = orderIdOf(answer.body);
    if (repeatedId === undefined) this.#tally.failed();
    else this.#tally.repeated(repeatedId === orderId);
  }

  async #cancel(orderId: string, afterMs: number): Promise<void> {
    await this.#wait(afterMs);
    if (!this.#stop.aborted) await this.#post(`/orders/${orderId}/cancellation`);
  }

  async #follow(orderId: string): Promise<void> {
    if (this.#followed >= MAX_FOLLOWED) return;
    this.#followed += 1;
    let isConfirmed = false;
    for (const end = performance.now() + FOLLOW_FOR_MS; performance.now() < end && !this.#stop.aborted;) {
      await this.#wait(LOOK_EVERY_MS);
      const status = await this.#statusOf(orderId);
      if (!isConfirmed && CONFIRMED.has(status ?? '')) {
        isConfirmed = true;
        this.#tally.confirmed();
      }
      if (status === 'completed' || status === 'cancelled') {
        this.#tally.ended(status);
        break;
      }
    }
    this.#followed -= 1;
  }

  async #statusOf(orderId: string): Promise<Order['status'] | undefined> {
    try {
      const response = await fetch(`${this.#url}/orders/${orderId}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      const body = (await response.json()) as Order;
      return response.ok ? body.status : undefined;
    } catch {
      return undefined; // it is asked again
    }
  }

  /** Undefined when there was no answer. */
  async #post(path: string, body?: object, key?: string): Promise<{ status: number; body: unknown } | undefined> {
    try {
      const response = await fetch(this.#url + path, {
        method: 'POST',
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await response.text();
      if (response.status === 503) this.#close(retryAfterMs(response.headers.get('retry-after')));
      else this.#pauseMs = FIRST_PAUSE_MS;
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    } catch {
      this.#tally.failed();
      this.#close(this.#pauseMs);
      return undefined;
    }
  }

  #close(forMs: number): void {
    if (!this.isClosed) this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    this.#closedUntil = Math.max(this.#closedUntil, performance.now() + forMs);
  }

  async #wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop }).catch(() => {}); // whoever waits looks at the signal
  }
}

/** What a `Retry-After` in seconds asks for, a second if it asks for nothing that is understood, a minute at most. */
export function retryAfterMs(header: string | null): number {
  const seconds = Number(header ?? Number.NaN);
  return seconds > 0 ? Math.min(60, seconds) * 1000 : 1000;
}

/** Undefined when the API says that it took an order, and not which. */
function orderIdOf(body: unknown): string | undefined {
  const { orderId } = (body ?? {}) as { readonly orderId?: unknown };
  return typeof orderId === 'string' ? orderId : undefined;
}

import { until } from '@millrace/messaging/testing';
import { place } from '../journeys/customers.ts';

interface Order {
  readonly status: string;
}

const ENDS = new Set(['completed', 'cancelled']);

/** How far an order is; undefined while nobody answers. */
async function statusOf(orderApi: string, orderId: string): Promise<string | undefined> {
  const response = await fetch(`${orderApi}/orders/${orderId}`).catch(() => undefined);
  return response?.ok === true ? ((await response.json()) as Order).status : undefined;
}

/** Places an order and resolves to its id when it is confirmed: paid for, and its stock is held. */
export function placeAndConfirm(orderApi: string, timeoutMs: number): Promise<string> {
  return placeUntil(orderApi, ['confirmed', 'dispatched', 'completed'], timeoutMs);
}

/** Places an order and resolves to its id when it is on its way and nothing is left to do for it. */
export function placeAndComplete(orderApi: string, timeoutMs: number): Promise<string> {
  return placeUntil(orderApi, ['completed'], timeoutMs);
}

async function placeUntil(orderApi: string, due: readonly string[], timeoutMs: number): Promise<string> {
  const orderId = await place(orderApi);
  const isDue = async (): Promise<boolean> => due.includes((await statusOf(orderApi, orderId)) ?? '');
  await until(`order ${orderId} is ${due[0]}`, isDue, { timeoutMs, everyMs: 100 });
  return orderId;
}

/** A customer who orders every 200 ms, whatever happens, until told to stop. */
export class Customer {
  readonly #orderApi: string;
  readonly accepted: string[] = [];
  refused = 0;
  #isLeaving = false;
  readonly #left: Promise<void>;

  constructor(orderApi: string) {
    this.#orderApi = orderApi;
    this.#left = this.#order();
  }

  stop(): void {
    this.#isLeaving = true;
  }

  /** Stops ordering; resolves to the orders that have not ended within the time. */
  async leave(timeoutMs: number): Promise<readonly string[]> {
    this.stop();
    await this.#left;
    let open: readonly string[] = this.accepted;
    for (const end = Date.now() + timeoutMs; open.length > 0 && Date.now() < end; await pause()) {
      const statuses = await Promise.all(open.map((orderId) => statusOf(this.#orderApi, orderId)));
      open = open.filter((_, index) => !ENDS.has(statuses[index] ?? ''));
    }
    return open;
  }

  async #order(): Promise<void> {
    while (!this.#isLeaving) {
      await place(this.#orderApi).then(
        (orderId) => this.accepted.push(orderId),
        () => (this.refused += 1),
      );
      await pause();
    }
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 200));

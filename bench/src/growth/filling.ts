import type { ShopRecords } from '@millrace/shop';
import { asked } from '../measure/asked.ts';
import type { Bench } from '../phases/phase.ts';
import type { Millrace } from '../systems/millrace.ts';
import { copiesFor, copyOrders, type Placed, placedSince } from './placed.ts';

const SAY_EVERY_MS = 5_000;

export async function ordersIn({ databases }: ShopRecords): Promise<number> {
  const [row] = await asked<{ orders: number }>(databases.order, 'SELECT count(*)::float8 AS orders FROM orders');
  return row?.orders ?? 0;
}

/** The orders that are copied, and how often that was done. */
export class Filling {
  readonly #bench: Bench;
  readonly #system: Millrace;
  readonly #from = new Date();
  #placed: Placed | undefined;
  #copies = 0;

  /** Before the first order is placed. */
  constructor(bench: Bench, system: Millrace) {
    this.#bench = bench;
    this.#system = system;
  }

  /** Copies all that was placed before the first filling until there are as many orders, or a bit more; resolves with how many are copies. */
  async upTo(orders: number): Promise<number> {
    const { say, stop } = this.#bench;
    const { shop, postgresUrl } = this.#system;
    say('  waiting until nothing is under way …');
    await this.#system.settled();
    const there = await ordersIn(shop);
    const placed = (this.#placed ??= await placedSince(this.#from, shop));
    const count = copiesFor(orders, there, placed.orders);
    say(`  copying ${placed.orders} orders ${count} times …`);
    const startedAt = performance.now();
    let said = startedAt;
    await copyOrders(shop, placed, {
      count,
      before: this.#copies,
      stop,
      onCopied(copies) {
        const now = performance.now();
        if (now - said < SAY_EVERY_MS && copies < count) return;
        said = now;
        say(`  ${there + copies * placed.orders} orders in the databases`);
      },
    });
    // What is written now need not be written while it is measured.
    await asked(postgresUrl, 'CHECKPOINT');
    this.#copies += count;
    say(`  filled in ${Math.round((performance.now() - startedAt) / 1000)} s`);
    return this.#copies * placed.orders;
  }
}

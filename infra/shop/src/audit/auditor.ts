import { readMails, readNotifications, readOrderAccounts } from '../books/accounts.ts';
import { rowsOf } from '../books/rows.ts';
import { orderRules } from '../books/rules.ts';
import type { ShopRecords } from '../running-shop.ts';
import { type Change, type Finding, Findings } from './findings.ts';
import { wrongOrders } from './order-findings.ts';
import { STOCK_ADDS_UP, stockFindings, StockTaking } from './stock.ts';
import { NO_DEAD_LETTERS, NONE_OVERDUE, NOTHING_PARKED, NOTHING_UNSENT, stuckFindings } from './stuck.ts';
import { WatchList } from './watch-list.ts';

/** The rules of a living shop: those of orders that ended, those of stock, and that everything goes on. */
export const livingRules: readonly { readonly slug: string; readonly name: string }[] = [
  ...orderRules.map(({ slug, name }) => ({ slug, name })),
  STOCK_ADDS_UP,
  NONE_OVERDUE,
  NOTHING_UNSENT,
  NOTHING_PARKED,
  NO_DEAD_LETTERS,
];

export interface AuditorOptions {
  /** How far back it looks when it starts, and for how long a dead letter is a finding. */
  readonly windowMs: number;
  /** An order is judged when it ended this long ago: until then its news may be on their way. */
  readonly settledMs: number;
}

export interface AuditReport {
  /** What two looks in a row found and is so still. */
  readonly findings: readonly Finding[];
  /** What waits for a second look. */
  readonly suspected: readonly Finding[];
  readonly confirmed: readonly Finding[];
  readonly righted: readonly Finding[];
  /** Judged since the start, by how they ended; `open`: seen and not ended, or ended too short a time ago. */
  readonly orders: { readonly completed: number; readonly cancelled: number; readonly open: number };
  /** There are orders that this look did not take up: the next one goes on with them. */
  readonly isBehind: boolean;
  /** How many orders since the start will not be judged, because too many waited for it. */
  readonly dropped: number;
  /** Counting the stock took too long: how it stands is not known. */
  readonly isStockUncounted: boolean;
}

export interface LookOptions {
  /** Counts the stock at this look, however lately it was counted. */
  readonly countStock?: boolean;
}

// What one look takes up at most; at a look every 30 s these are more orders than this shop is built for.
const MAX_NEW_ORDERS = 60_000;

// Orders with findings are judged at every look until they are right; of more than these something else will be known.
const MAX_WRONG_ORDERS = 1_000;

/**
 * Judges the books of a shop that is open: each order when it ended `settledMs` ago, a window later, and as long as something
 * is wrong with it. It reads every database and writes none. Not for two looks at the same time.
 */
export class Auditor {
  readonly #shop: ShopRecords;
  readonly #options: AuditorOptions;
  readonly #watched: WatchList;
  readonly #stock: StockTaking;
  readonly #aboutOrders = new Findings();
  readonly #aboutStock = new Findings();
  readonly #aboutStuck = new Findings();
  #isFirstLook = true;
  #wrongOrders: readonly string[] = [];
  #completed = 0;
  #cancelled = 0;

  constructor(shop: ShopRecords, options: AuditorOptions) {
    this.#shop = shop;
    this.#options = options;
    this.#watched = new WatchList(options);
    this.#stock = new StockTaking(() => stockFindings(shop));
  }

  /** Looks at the books once. Rejects when a part of the shop does not answer; what was known stays known. */
  async look(now: Date = new Date(), { countStock = false }: LookOptions = {}): Promise<AuditReport> {
    await this.#watch(now);
    const stuck = await stuckFindings(this.#shop, now, this.#options);
    const stock = await this.#stock.count({ now: countStock });
    const settled = await this.#settledOrders(now);
    const orderIds = [...settled.map(({ orderId }) => orderId), ...this.#watched.dueAgain(now)];
    const wrong = await this.#wrongAmong([...new Set([...this.#wrongOrders, ...orderIds])]);

    // Nothing was taken down so far: a look that fails before its end has not happened.
    this.#watched.judged(orderIds, now);
    this.#wrongOrders = [...wrong.keys()];
    this.#completed += settled.filter(({ status }) => status === 'completed').length;
    this.#cancelled += settled.filter(({ status }) => status === 'cancelled').length;
    const changes = [
      this.#aboutOrders.update([...wrong.values()].flat()),
      ...(stock === undefined ? [] : [this.#aboutStock.update(stock)]),
      this.#aboutStuck.update(stuck),
    ];
    return this.#report(changes);
  }

  #report(changes: readonly Change[]): AuditReport {
    const parts = [this.#aboutOrders, this.#aboutStock, this.#aboutStuck];
    return {
      findings: parts.flatMap(({ confirmed }) => confirmed),
      suspected: parts.flatMap(({ suspected }) => suspected),
      confirmed: changes.flatMap(({ confirmed }) => confirmed),
      righted: changes.flatMap(({ righted }) => righted),
      orders: { completed: this.#completed, cancelled: this.#cancelled, open: this.#watched.unjudged.length },
      isBehind: this.#watched.isBehind,
      dropped: this.#watched.dropped,
      isStockUncounted: this.#stock.isGivenUp,
    };
  }

  async #watch(now: Date): Promise<void> {
    const from = this.#watched.lookFrom(now);
    const placed = await rowsOf<{ orderId: string }>(
      this.#shop,
      'order',
      `SELECT order_id AS "orderId" FROM checkouts WHERE order_id >= $1::uuid ORDER BY order_id LIMIT ${MAX_NEW_ORDERS}`,
      [from],
    );
    const open = this.#isFirstLook
      ? await rowsOf<{ orderId: string }>(
          this.#shop,
          'order',
          `SELECT order_id AS "orderId" FROM checkouts WHERE wake_at IS NOT NULL AND order_id < $1::uuid
           ORDER BY order_id DESC LIMIT ${MAX_NEW_ORDERS}`,
          [from],
        )
      : [];
    this.#watched.add(
      [...open.toReversed(), ...placed].map(({ orderId }) => orderId),
      now,
      placed.length < MAX_NEW_ORDERS,
    );
    this.#isFirstLook = false;
  }

  async #wrongAmong(orderIds: readonly string[]): Promise<ReadonlyMap<string, readonly Finding[]>> {
    const wrong = await wrongOrders(orderIds, {
      notifications: (ids) => readNotifications(this.#shop, ids),
      mails: () => readMails(this.#shop),
      accounts: (ids) => readOrderAccounts(this.#shop, ids),
    });
    return new Map([...wrong].slice(0, MAX_WRONG_ORDERS));
  }

  /** Those watched orders that ended long enough ago; what a shop does not know any more is not watched any more. */
  async #settledOrders(now: Date): Promise<readonly { readonly orderId: string; readonly status: string }[]> {
    const watched = this.#watched.unjudged;
    const rows = await rowsOf<{ orderId: string; status: string; isSettled: boolean }>(
      this.#shop,
      'order',
      `SELECT order_id AS "orderId", status, coalesce(ended_at <= $2::timestamptz, false) AS "isSettled"
       FROM checkouts WHERE order_id = ANY($1::uuid[])`,
      [watched, new Date(now.getTime() - this.#options.settledMs).toISOString()],
    );
    const known = new Set(rows.map(({ orderId }) => orderId));
    this.#watched.forget(watched.filter((orderId) => !known.has(orderId)));
    return rows.filter(({ isSettled }) => isSettled);
  }
}

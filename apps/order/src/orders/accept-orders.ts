import { newId, type OrderId } from '@millrace/contracts';
import { isDatabaseUnavailable, isTransactionConflict } from '@millrace/database';
import { type LocalTransaction, type LocalTransactions, localMessage, naturalBatches } from '@millrace/messaging';
import type { Metrics } from '@millrace/observability';
import type { ProductStore } from '../catalog/store/product.store.ts';
import type { CheckoutDecider } from '../checkout/checkout.decider.ts';
import type { OrderAccepted } from '../checkout/domain/checkout.ts';
import type { PlaceOrder } from './domain/place-order.ts';
import { priced, type Unsellable } from './domain/pricing.ts';
import { type Claim, claimKeys, releaseKeys } from './store/idempotency-keys.ts';
import { placementsOf } from './placement-metrics.ts';
import { findPlacedOrders, type PlacedOrder } from './store/placed-orders.ts';

/** A request to place an order, as it came in. */
export interface Placement {
  readonly key: string;
  readonly requestHash: string;
  readonly request: PlaceOrder;
  /** The span of the request, which the order's trace goes on from. */
  readonly traceparent: string | undefined;
}

/** How a placement ends. A repeated request gets what the first one got: `placed`, with the same order. */
export type PlacementOutcome =
  | { readonly kind: 'placed'; readonly order: PlacedOrder }
  | { readonly kind: 'key-in-flight' }
  | { readonly kind: 'key-of-another-request' }
  | { readonly kind: 'not-for-sale'; readonly unsellable: readonly Unsellable[] }
  | { readonly kind: 'too-large' };

type Numbered = Placement & { readonly orderId: OrderId };
type Settled = { readonly outcome: PlacementOutcome } | { readonly error: unknown };

// One transaction for this many: a few milliseconds of work for the database.
const MAX_BATCH = 256;

/**
 * Accepts orders by group commit: requests that arrive while a transaction runs share the next one. `place` resolves after the
 * commit, so an order that was answered is durable, and rejects when nothing was accepted (or, after a connection lost during
 * the commit, possibly accepted: the same key then gets the answer). How many may wait is for the intake to say.
 */
export class AcceptOrders {
  readonly #transactions: LocalTransactions;
  readonly #products: ProductStore;
  readonly #decider: CheckoutDecider;
  readonly #placements;
  readonly #inFlight = new Set<string>();
  readonly #enqueue = naturalBatches((batch: readonly Placement[]) => this.#settle(batch), { maxItems: MAX_BATCH });

  constructor(transactions: LocalTransactions, products: ProductStore, decider: CheckoutDecider, metrics: Metrics) {
    this.#transactions = transactions;
    this.#products = products;
    this.#decider = decider;
    this.#placements = placementsOf(metrics);
  }

  /** How many placements are in work. */
  get inWork(): number {
    return this.#inFlight.size;
  }

  async place(placement: Placement): Promise<PlacementOutcome> {
    try {
      const outcome = await this.#placed(placement);
      this.#placements.inc({ outcome: outcome.kind });
      return outcome;
    } catch (error) {
      this.#placements.inc({ outcome: 'failed' });
      throw error;
    }
  }

  async #placed(placement: Placement): Promise<PlacementOutcome> {
    if (this.#inFlight.has(placement.key)) return { kind: 'key-in-flight' };
    this.#inFlight.add(placement.key);
    try {
      const settled = await this.#enqueue(placement);
      if ('error' in settled) throw settled.error;
      return settled.outcome;
    } finally {
      this.#inFlight.delete(placement.key);
    }
  }

  /**
   * When a batch fails through no outage and no overload, one of its orders is to blame: alone, only that one fails. A database that
   * has no time for the batch is not asked again for each order of it.
   */
  async #settle(batch: readonly Placement[]): Promise<readonly Settled[]> {
    try {
      const outcomes = await this.#transactions.run((local) => this.#accept(local, batch));
      return outcomes.map((outcome) => ({ outcome }));
    } catch (error) {
      if (batch.length === 1 || isDatabaseUnavailable(error) || isTransactionConflict(error)) {
        return batch.map(() => ({ error }));
      }
      const settled: Settled[] = [];
      for (const placement of batch) settled.push(...(await this.#settle([placement])));
      return settled;
    }
  }

  async #accept(local: LocalTransaction, batch: readonly Placement[]): Promise<readonly PlacementOutcome[]> {
    const numbered = batch.map((placement): Numbered => ({ ...placement, orderId: newId<OrderId>() }));
    const claims = await claimKeys(local.tx, numbered, local.now);
    const claimOf = ({ key }: Numbered): Claim => claims.get(key) ?? { kind: 'in-flight' };
    const placed = await this.#placeNew(
      local,
      numbered.filter((each) => claimOf(each).kind === 'claimed'),
    );
    const firsts = await findPlacedOrders(
      local.tx,
      numbered.map(claimOf).flatMap((claim) => (claim.kind === 'known' ? [claim.orderId] : [])),
    );
    return numbered.map((placement) => {
      const claim = claimOf(placement);
      if (claim.kind === 'known') {
        const order = firsts.get(claim.orderId);
        if (claim.requestHash !== placement.requestHash) return { kind: 'key-of-another-request' };
        if (order === undefined) throw new Error(`the key of order ${claim.orderId} is known, the order is not`);
        return { kind: 'placed', order };
      }
      return placed.get(placement.key) ?? { kind: 'key-in-flight' };
    });
  }

  async #placeNew(
    local: LocalTransaction,
    placements: readonly Numbered[],
  ): Promise<ReadonlyMap<string, PlacementOutcome>> {
    if (placements.length === 0) return new Map();
    const skus = new Set(placements.flatMap(({ request }) => request.lines.map(({ sku }) => sku)));
    const products = await this.#products.find(local.tx, [...skus]);
    const outcomes = new Map<string, PlacementOutcome>();
    const accepted: OrderAccepted[] = [];
    for (const placement of placements) {
      const { key, orderId, request } = placement;
      const pricing = priced(request, products);
      if (pricing.kind !== 'priced') {
        outcomes.set(key, pricing);
        continue;
      }
      const { lines, total } = pricing;
      outcomes.set(key, {
        kind: 'placed',
        order: { orderId, customerId: request.customerId, lines, total, placedAt: local.now },
      });
      accepted.push(orderAccepted(placement, pricing, local.now));
    }
    // A request that was refused may be corrected and sent again under its key.
    await releaseKeys(
      local.tx,
      [...outcomes].flatMap(([key, { kind }]) => (kind === 'placed' ? [] : [key])),
    );
    if (accepted.length > 0) await local.decide(this.#decider, accepted);
    return outcomes;
  }
}

function orderAccepted(
  { orderId, request, traceparent }: Numbered,
  { lines, total }: Pick<PlacedOrder, 'lines' | 'total'>,
  now: Date,
): OrderAccepted {
  const { email, ...shippingAddress } = request.shippingAddress;
  const { customerId, paymentToken } = request;
  return localMessage(
    'OrderAccepted',
    orderId,
    { customerId, lines, total, shippingAddress, contact: { name: shippingAddress.name, email }, paymentToken },
    { source: 'order', now, traceparent },
  );
}

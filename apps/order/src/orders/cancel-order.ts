import type { OrderId } from '@millrace/contracts';
import { type Database, statement } from '@millrace/database';
import { localMessage, type LocalTransactions } from '@millrace/messaging';
import type { CheckoutDecider } from '../checkout/checkout.decider.ts';
import type { CancellationRequested } from '../checkout/domain/checkout.ts';
import type { OrderStatus } from '../checkout/domain/order.ts';

/** How a customer's wish to cancel is answered. `asked`: how it ends is told by the order's status. */
export type CancellationOutcome =
  | { readonly kind: 'asked'; readonly status: OrderStatus }
  | { readonly kind: 'refused'; readonly because: string; readonly status: OrderStatus }
  | { readonly kind: 'unknown-order' };

interface Known {
  readonly status: OrderStatus;
  readonly cancellation_asked: boolean;
  readonly correlation_id: string;
  readonly traceparent: string | null;
}

const FIND = statement(
  'order.find-cancellation',
  'SELECT status, cancellation_asked, correlation_id, traceparent FROM checkouts WHERE order_id = $1',
);

/**
 * Asks for an order's cancellation, as often as the customer likes: it is decided once, and a repeated wish is answered from
 * what is known. The wish belongs to the conversation and trace of its order. Resolves after the commit.
 */
export class CancelOrder {
  readonly #database: Database;
  readonly #transactions: LocalTransactions;
  readonly #decider: CheckoutDecider;

  constructor(database: Database, transactions: LocalTransactions, decider: CheckoutDecider) {
    this.#database = database;
    this.#transactions = transactions;
    this.#decider = decider;
  }

  async cancel(orderId: OrderId): Promise<CancellationOutcome> {
    const { rows } = await this.#database.query<Known>(FIND(orderId));
    const [known] = rows;
    if (known === undefined) return { kind: 'unknown-order' };
    // Each decision adds a line to the order's history, so only the first wish is one.
    const isCancelling = known.status === 'cancelling' && known.cancellation_asked;
    if (isCancelling || known.status === 'cancelled') return { kind: 'asked', status: known.status };
    return this.#decide(orderId, known);
  }

  #decide(
    orderId: OrderId,
    { status, correlation_id: correlationId, traceparent }: Known,
  ): Promise<CancellationOutcome> {
    return this.#transactions.run(async ({ now, decide }) => {
      const wish: CancellationRequested = localMessage(
        'CancellationRequested',
        orderId,
        {},
        { source: 'order', now, correlationId, traceparent: traceparent ?? undefined },
      );
      const [decision] = await decide(this.#decider, [wish]);
      const after = decision?.state?.order.status ?? status;
      if (decision?.refused !== undefined) return { kind: 'refused', because: decision.refused, status: after };
      return { kind: 'asked', status: after };
    });
  }
}

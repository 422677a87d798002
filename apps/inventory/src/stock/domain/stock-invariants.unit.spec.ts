import { CommitStock, newId, type OrderId, ReleaseStock, ReserveStock, type Sku } from '@millrace/contracts';
import { localMessage, PermanentFailure } from '@millrace/messaging';
import { heard } from '@millrace/messaging/testing';
import { it } from '@jest/globals';
import fc from 'fast-check';
import { type StockMessage, stockRules } from './decide-stock.ts';
import type { Reservation } from './reservation.ts';
import type { StockItem } from './stock-item.ts';

const SKUS = ['MUG-BLUE', 'TEA-GREEN-100', 'LAST-FIVE'].map((sku) => sku as Sku);
// One product is asked for and was never listed.
const ASKED: readonly Sku[] = [...SKUS, 'NO-SUCH-THING' as Sku];
const INITIAL = 5;
const HOLD_MS = 1000;
const ORDERS = Array.from({ length: 6 }, (_, index) => `01890000-0000-7000-8000-00000000000${index}` as OrderId);

type Step =
  | { readonly kind: 'message'; readonly message: StockMessage; readonly afterMs: number }
  | { readonly kind: 'restock'; readonly sku: Sku; readonly add: number };

const order = fc.constantFrom(...ORDERS);
const lines = fc.array(fc.record({ sku: fc.constantFrom(...ASKED), quantity: fc.integer({ min: 1, max: 4 }) }), {
  minLength: 1,
  maxLength: 4,
});
const message: fc.Arbitrary<StockMessage> = fc.oneof(
  fc.record({ orderId: order, lines }).map((body) => heard(ReserveStock, body)),
  order.map((orderId) => heard(ReleaseStock, { orderId })),
  order.map((orderId) => heard(CommitStock, { orderId })),
  order.map((orderId) => localMessage('HoldExpired', orderId, { orderId }, { source: 'inventory', now: new Date(0) })),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ kind: fc.constant('message' as const), message, afterMs: fc.nat(HOLD_MS) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('restock' as const),
      sku: fc.constantFrom(...SKUS),
      add: fc.integer({ min: 1, max: 5 }),
    }),
  },
);

/** A warehouse driven by the rules alone, with books of its own to compare with. */
class Warehouse {
  readonly items = new Map<Sku, StockItem>(SKUS.map((sku) => [sku, { sku, onHand: INITIAL, reserved: 0 }]));
  readonly reservations = new Map<OrderId, Reservation>();
  readonly #brought = new Map<Sku, number>(SKUS.map((sku) => [sku, INITIAL]));
  readonly #decide = stockRules({ holdMs: HOLD_MS });
  #nowMs = 0;

  take(next: Step): void {
    if (next.kind === 'restock') {
      const item = this.items.get(next.sku);
      if (item === undefined) throw new Error('only listed products are restocked');
      this.items.set(next.sku, { ...item, onHand: item.onHand + next.add });
      this.#brought.set(next.sku, (this.#brought.get(next.sku) ?? 0) + next.add);
      return;
    }
    this.#nowMs += next.afterMs;
    const { orderId } = next.message.body;
    try {
      const { state } = this.#decide({ reservation: this.reservations.get(orderId), items: this.items }, next.message, {
        now: new Date(this.#nowMs),
        newId,
      });
      if (state.reservation !== undefined) this.reservations.set(orderId, state.reservation);
      for (const [sku, item] of state.items) this.items.set(sku, item);
    } catch (error) {
      if (!(error instanceof PermanentFailure)) throw error;
    }
  }

  /** What is wrong with the books; plain comparisons, because there are a hundred thousand of them. */
  mistakes(): readonly string[] {
    return SKUS.flatMap((sku) => {
      const { onHand, reserved } = this.items.get(sku) ?? { onHand: Number.NaN, reserved: Number.NaN };
      const promises = {
        'nothing is below zero': reserved >= 0 && onHand >= reserved,
        'held is what reservations hold': reserved === this.#sumOf(sku, 'held'),
        'nothing appears or gets lost': onHand + this.#sumOf(sku, 'committed') === this.#brought.get(sku),
      };
      return Object.entries(promises).flatMap(([promise, isKept]) => (isKept ? [] : [`${sku}: not true: ${promise}`]));
    });
  }

  #sumOf(sku: Sku, status: Reservation['status']): number {
    return [...this.reservations.values()]
      .filter((reservation) => reservation.status === status)
      .flatMap(({ lines }) => lines.filter((line) => line.sku === sku))
      .reduce((sum, { quantity }) => sum + quantity, 0);
  }
}

it('keeps its books after any sequence of commands, expiries and restocks', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const warehouse = new Warehouse();
      for (const next of steps) {
        warehouse.take(next);
        const mistakes = warehouse.mistakes();
        if (mistakes.length > 0) throw new Error(mistakes.join('; '));
      }
    }),
    { numRuns: 300 },
  );
});

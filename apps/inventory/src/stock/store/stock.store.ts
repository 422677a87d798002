import { Injectable } from '@nestjs/common';
import type { OrderId, Sku } from '@millrace/contracts';
import type { Queryable, Transaction } from '@millrace/database';
import type { LoadedStates, StateStore } from '@millrace/messaging';
import type { StockMessage, StockState } from '../domain/decide-stock.ts';
import type { Reservation } from '../domain/reservation.ts';
import type { StockItem } from '../domain/stock-item.ts';
import {
  LOAD_ITEMS,
  LOAD_RESERVATIONS,
  LOCK_ITEMS,
  LOCK_RESERVATIONS,
  type ReservationRow,
  reservationOf,
  SAVE_ITEMS,
  SAVE_RESERVATIONS,
  type StockRow,
} from './stock.sql.ts';

/**
 * Remembers reservations and stock, a batch in four statements: all reservations, then all products they name, each locked in
 * the order of their keys; then one write per table. Everybody who locks both takes them in this order, so batches that meet
 * wait for each other and never in a circle.
 */
@Injectable()
export class StockStore implements StateStore<StockState, StockMessage> {
  async load(
    db: Queryable,
    messages: readonly StockMessage[],
    { lock }: { readonly lock: boolean },
  ): Promise<LoadedStates<StockState, StockMessage>> {
    const orderIds = [...new Set(messages.map((message) => message.body.orderId))];
    const reservations = await db.query<ReservationRow>((lock ? LOCK_RESERVATIONS : LOAD_RESERVATIONS)(orderIds));
    const lines = [
      ...messages.flatMap((message) => (message.type === 'ReserveStock' ? message.body.lines : [])),
      ...reservations.rows.flatMap((row) => row.lines),
    ];
    const skus = [...new Set(lines.map(({ sku }) => sku))];
    const items = skus.length === 0 ? { rows: [] } : await db.query<StockRow>((lock ? LOCK_ITEMS : LOAD_ITEMS)(skus));
    return new Batch(
      reservations.rows.map(reservationOf),
      items.rows.map(({ sku, on_hand: onHand, reserved }) => ({ sku, onHand, reserved })),
    );
  }
}

class Batch implements LoadedStates<StockState, StockMessage> {
  readonly #reservations: Map<OrderId, Reservation>;
  readonly #items: Map<Sku, StockItem>;
  readonly #changedOrders = new Set<OrderId>();
  readonly #changedSkus = new Set<Sku>();
  /** The message that made each reservation of this batch: its expiry will be told in that conversation and trace. */
  readonly #madeBy = new Map<OrderId, StockMessage>();

  constructor(reservations: readonly Reservation[], items: readonly StockItem[]) {
    this.#reservations = new Map(reservations.map((reservation) => [reservation.orderId, reservation]));
    this.#items = new Map(items.map((item) => [item.sku, item]));
  }

  of(message: StockMessage): StockState {
    const reservation = this.#reservations.get(message.body.orderId);
    const items = new Map<Sku, StockItem>();
    for (const { sku } of reservation?.lines ?? (message.type === 'ReserveStock' ? message.body.lines : [])) {
      const item = this.#items.get(sku);
      if (item !== undefined) items.set(sku, item);
    }
    return { reservation, items };
  }

  change(message: StockMessage, { reservation, items }: StockState): void {
    const { orderId } = message.body;
    const before = this.#reservations.get(orderId);
    if (reservation !== undefined && reservation !== before) {
      this.#reservations.set(orderId, reservation);
      this.#changedOrders.add(orderId);
      if (before === undefined) this.#madeBy.set(orderId, message);
    }
    for (const [sku, item] of items) {
      if (this.#items.get(sku) === item) continue;
      this.#items.set(sku, item);
      this.#changedSkus.add(sku);
    }
  }

  async save(tx: Transaction): Promise<void> {
    await this.#saveReservations(tx);
    await this.#saveItems(tx);
  }

  async #saveReservations(tx: Transaction): Promise<void> {
    const changed = [...this.#changedOrders].flatMap((orderId) => this.#reservations.get(orderId) ?? []);
    if (changed.length === 0) return;
    const madeBy = changed.map(({ orderId }) => this.#madeBy.get(orderId));
    const { rows } = await tx.query<{ saved: number }>(
      SAVE_RESERVATIONS(
        changed.map(({ orderId }) => orderId),
        changed.map(({ status }) => status),
        changed.map(({ lines }) => JSON.stringify(lines)),
        changed.map((reservation) => JSON.stringify(reservation.status === 'rejected' ? reservation.missing : [])),
        changed.map((reservation) => (reservation.status === 'held' ? reservation.heldUntil.toISOString() : null)),
        madeBy.map((message) => message?.correlationId ?? null),
        madeBy.map((message) => message?.traceparent ?? null),
        madeBy.map((message) => message !== undefined),
      ),
    );
    if (rows[0]?.saved !== changed.length) throw new LostRace();
  }

  async #saveItems(tx: Transaction): Promise<void> {
    const items = [...this.#changedSkus].flatMap((sku) => this.#items.get(sku) ?? []);
    if (items.length === 0) return;
    const { rowCount } = await tx.query(
      SAVE_ITEMS(
        items.map(({ sku }) => sku),
        items.map(({ onHand }) => onHand),
        items.map(({ reserved }) => reserved),
      ),
    );
    if (rowCount !== items.length) throw new Error(`saved ${rowCount} of ${items.length} products`);
  }
}

/**
 * Another transaction made a reservation of the same order since this one looked: there was no row to lock yet. Nothing may be
 * saved over it. The code is PostgreSQL's for a transaction that lost a race, so the batch is run again from its start.
 */
class LostRace extends Error {
  override readonly name = 'LostRace';
  readonly code = '40001';

  constructor() {
    super('another transaction made a reservation of the same order');
  }
}

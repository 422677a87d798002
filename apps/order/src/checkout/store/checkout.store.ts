import type { Queryable, Transaction } from '@millrace/database';
import { type Change, keyedStore, type LoadedStates, type StateStore } from '@millrace/messaging';
import { Injectable } from '@nestjs/common';
import type { Checkout, CheckoutMessage, OrderAccepted } from '../domain/checkout.ts';
import { type CheckoutRow, checkoutOf } from './checkout.row.ts';
import * as sql from './checkout.sql.ts';

type Message = OrderAccepted | CheckoutMessage;

/** Remembers orders and their checkouts: one query loads a batch, at most three statements save it. */
@Injectable()
export class CheckoutStore implements StateStore<Checkout | undefined, Message> {
  readonly #states = keyedStore<Checkout, Message>({ load, save });

  load(
    db: Queryable,
    messages: readonly Message[],
    options: { readonly lock: boolean },
  ): Promise<LoadedStates<Checkout | undefined, Message>> {
    return this.#states.load(db, messages, options);
  }
}

async function load(db: Queryable, orderIds: readonly string[], lock: boolean): Promise<ReadonlyMap<string, Checkout>> {
  const { rows } = await db.query<CheckoutRow>((lock ? sql.lockCheckouts : sql.selectCheckouts)(orderIds));
  return new Map(rows.map((row) => [row.order_id, checkoutOf(row)]));
}

async function save(tx: Transaction, changes: readonly Change<Checkout>[]): Promise<void> {
  const begun = changes.flatMap(({ before, after }) => (before === undefined ? [after] : []));
  const moved = changes.flatMap(({ before, after }) => (before === undefined ? [] : [after]));
  if (begun.length > 0) {
    await tx.query(sql.insertOrders(...sql.orderColumns(begun.map(({ order }) => order))));
    await tx.query(sql.insertCheckouts(...sql.checkoutColumns(begun)));
  }
  if (moved.length > 0) await tx.query(sql.updateCheckouts(...sql.progressColumns(moved)));
}

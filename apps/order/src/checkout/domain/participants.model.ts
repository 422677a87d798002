import {
  type AnyContract,
  type BodyOf,
  type MessageId,
  type MessageOf,
  newId,
  type OrderId,
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  PaymentVoided,
  type Said,
  ShipmentArranged,
  ShipmentCancelled,
  ShipmentDelivered,
  ShipmentDispatched,
  ShipmentRefused,
  StockCommitted,
  StockRejected,
  StockReleased,
  StockReserved,
} from '@millrace/contracts';
import { heard } from '@millrace/messaging/testing';
import { messagesAbout, quantities } from './checkout.examples.ts';

/** How the world answers one order. */
export interface Luck {
  readonly isInStock: boolean;
  readonly isCardGood: boolean;
  readonly isPostcodeServed: boolean;
  /** Warehouse and cashier do not remember an undo of what they never saw, so a late original is carried out after it. */
  readonly forgetsUndos: boolean;
}

/** A message on its way, with the id that inboxes know it by. */
export interface Sent<Message> {
  readonly id: MessageId;
  readonly message: Message;
}

/** A service as the checkout sees it: it answers the commands about one order, and sometimes speaks by itself. */
export interface Participant {
  hear(command: string): Said[];
  /** What it may do unasked now, each with what it says then. */
  readonly unasked: readonly (() => Said[])[];
}

export type Stock = 'unknown' | 'held' | 'rejected' | 'released' | 'expired' | 'committed';
export type Money = 'unknown' | 'authorized' | 'declined' | 'voided' | 'captured';
export type Parcel = 'unknown' | 'arranged' | 'refused' | 'cancelled' | 'dispatched' | 'delivered';

/** The books of the three services about one order: what they promise in their own tests, and nothing else. */
export function participants(orderId: OrderId, luck: Luck) {
  const bodies = messagesAbout(orderId);
  const books: { stock: Stock; money: Money; parcel: Parcel } = {
    stock: 'unknown',
    money: 'unknown',
    parcel: 'unknown',
  };
  const broken = (command: string): never => {
    throw new Error(`${command} must not come: ${JSON.stringify(books)}`);
  };

  const inventory: Participant = {
    hear(command) {
      switch (command) {
        case 'ReserveStock':
          if (books.stock !== 'unknown' && !(luck.forgetsUndos && books.stock === 'released')) {
            return [StockRejected({ orderId, missing: [] })];
          }
          books.stock = luck.isInStock ? 'held' : 'rejected';
          return luck.isInStock
            ? [StockReserved(bodies.StockReserved.body)]
            : [StockRejected({ orderId, missing: [] })];
        case 'ReleaseStock':
          if (books.stock === 'committed') broken(command);
          if (books.stock === 'held' || books.stock === 'unknown') books.stock = 'released';
          return [StockReleased({ orderId, reason: 'requested' })];
        default:
          if (books.stock !== 'held' && books.stock !== 'expired' && books.stock !== 'committed') broken(command);
          books.stock = 'committed';
          return [StockCommitted({ orderId, lines: quantities })];
      }
    },
    get unasked() {
      if (books.stock !== 'held') return [];
      return [
        () => {
          books.stock = 'expired';
          return [StockReleased({ orderId, reason: 'expired' })];
        },
      ];
    },
  };

  const payment: Participant = {
    hear(command) {
      switch (command) {
        case 'AuthorizePayment':
          if (books.money === 'voided' && !luck.forgetsUndos)
            return [PaymentDeclined({ orderId, reason: 'payment-voided' })];
          books.money = luck.isCardGood ? 'authorized' : 'declined';
          return luck.isCardGood
            ? [PaymentAuthorized(bodies.PaymentAuthorized.body)]
            : [PaymentDeclined(bodies.PaymentDeclined.body)];
        case 'VoidPayment':
          if (books.money === 'captured') broken(command);
          if (books.money !== 'declined') books.money = 'voided';
          return [PaymentVoided({ orderId })];
        default:
          if (books.money !== 'authorized' && books.money !== 'captured') broken(command);
          books.money = 'captured';
          return [PaymentCaptured(bodies.PaymentCaptured.body)];
      }
    },
    unasked: [],
  };

  const shipping: Participant = {
    hear(command) {
      if (command === 'ArrangeShipment') {
        if (books.parcel === 'cancelled') return [ShipmentRefused({ orderId, reason: 'shipment-cancelled' })];
        books.parcel = luck.isPostcodeServed ? 'arranged' : 'refused';
        return luck.isPostcodeServed
          ? [ShipmentArranged(bodies.ShipmentArranged.body)]
          : [ShipmentRefused(bodies.ShipmentRefused.body)];
      }
      if (books.parcel === 'dispatched' || books.parcel === 'delivered') {
        return [ShipmentDispatched(bodies.ShipmentDispatched.body)];
      }
      if (books.parcel === 'refused') return [ShipmentRefused(bodies.ShipmentRefused.body)];
      books.parcel = 'cancelled';
      return [ShipmentCancelled({ orderId })];
    },
    get unasked() {
      if (books.parcel === 'arranged') {
        return [
          () => {
            books.parcel = 'dispatched';
            return [ShipmentDispatched(bodies.ShipmentDispatched.body)];
          },
        ];
      }
      if (books.parcel !== 'dispatched') return [];
      return [
        () => {
          books.parcel = 'delivered';
          return [ShipmentDelivered(bodies.ShipmentDelivered.body)];
        },
      ];
    },
  };

  return { books, services: { inventory, payment, shipping } };
}

/** What was said, as it is heard. */
export function asHeard<C extends AnyContract>({ contract, body }: Said): MessageOf<C> {
  return heard(contract as C, body as BodyOf<C>);
}

/** A message with an id of its own. */
export function sent<Message>(message: Message): Sent<Message> {
  return { id: newId(), message };
}

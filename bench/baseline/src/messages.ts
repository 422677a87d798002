export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

export interface Address {
  readonly name: string;
  readonly email: string;
  readonly street: string;
  readonly postcode: string;
  readonly city: string;
  readonly country: string;
}

/** Every message belongs to an order, and has its id as the key. */
export interface OrderMessage {
  readonly orderId: string;
  /** ISO 8601. */
  readonly at: string;
}

export interface OrderFacts extends OrderMessage {
  readonly lines: readonly Line[];
  readonly totalMinor: number;
  readonly currency: string;
  readonly contact: { readonly name: string; readonly email: string };
}

export interface StockCommand extends OrderMessage {
  readonly lines: readonly Line[];
}

export interface AuthorizePayment extends OrderMessage {
  readonly amountMinor: number;
  readonly currency: string;
  readonly paymentToken: string;
}

export interface CapturePayment extends OrderMessage {
  readonly amountMinor: number;
}

export interface ArrangeShipment extends OrderMessage {
  readonly lines: readonly Line[];
  readonly address: Address;
}

export interface NotificationSent extends OrderMessage {
  readonly kind: string;
}

/** What each topic holds. As in any Nest service with `@EventPattern`, a kind of message is a topic. */
export interface Messages {
  'order-placed': OrderFacts;
  'order-confirmed': OrderFacts;
  'order-dispatched': OrderFacts;
  'order-completed': OrderFacts;
  'order-cancelled': OrderFacts;
  'reserve-stock': StockCommand;
  'commit-stock': StockCommand;
  'release-stock': StockCommand;
  'stock-reserved': OrderMessage;
  'stock-rejected': OrderMessage;
  'stock-committed': OrderMessage;
  'stock-released': OrderMessage;
  'authorize-payment': AuthorizePayment;
  'capture-payment': CapturePayment;
  'payment-authorized': OrderMessage;
  'payment-declined': OrderMessage;
  'payment-captured': OrderMessage;
  'arrange-shipment': ArrangeShipment;
  'shipment-arranged': OrderMessage;
  'shipment-dispatched': OrderMessage;
  'shipment-delivered': OrderMessage;
  'notification-sent': NotificationSent;
}

export type Topic = keyof Messages;

export const baselineTopics = [
  'order-placed',
  'order-confirmed',
  'order-dispatched',
  'order-completed',
  'order-cancelled',
  'reserve-stock',
  'commit-stock',
  'release-stock',
  'stock-reserved',
  'stock-rejected',
  'stock-committed',
  'stock-released',
  'authorize-payment',
  'capture-payment',
  'payment-authorized',
  'payment-declined',
  'payment-captured',
  'arrange-shipment',
  'shipment-arranged',
  'shipment-dispatched',
  'shipment-delivered',
  'notification-sent',
] as const satisfies readonly Topic[];

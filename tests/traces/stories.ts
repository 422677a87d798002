import { catalogue } from '@millrace/contracts';

/** The edges of the trace of one order: parent → child. */
export interface Story {
  readonly always: readonly string[];
  /** Of each list exactly one. */
  readonly oneOf: readonly (readonly string[])[];
}

/** What one service says because of one message. */
interface Step {
  readonly service: string;
  readonly because: string;
  readonly says: readonly string[];
}

const PLACED = 'order: POST /orders';

/** Who hears what: every service that has a `process` span for a message of these types. */
const hearers: Readonly<Record<string, (type: string) => readonly string[]>> = {
  'order.events.v1': (type) =>
    ['OrderConfirmed', 'OrderDispatched', 'OrderCancelled'].includes(type)
      ? ['analytics', 'notification']
      : ['analytics'],
  'inventory.commands.v1': () => ['inventory'],
  'inventory.events.v1': () => ['order', 'analytics'],
  'payment.commands.v1': () => ['payment'],
  'payment.events.v1': () => ['order', 'analytics'],
  'shipping.commands.v1': () => ['shipping'],
  'shipping.events.v1': () => ['order', 'analytics'],
  'notification.events.v1': () => ['order', 'analytics'],
};

/** What is not heard but happens in a service, and the span that its context was taken from. */
const localCauses: Readonly<Record<string, string>> = {
  OrderAccepted: PLACED,
  CancellationRequested: PLACED,
  DeadlineExpired: PLACED,
  HoldExpired: sendOf('order', 'ReserveStock'),
  CarrierReported: sendOf('order', 'ArrangeShipment'),
};

/** Whom a service calls because of a message. */
const calls: Readonly<Record<string, string>> = {
  'payment AuthorizePayment': 'payment-provider authorize',
  'payment CapturePayment': 'payment-provider capture',
  'payment VoidPayment': 'payment-provider void',
  'shipping ArrangeShipment': 'carrier book',
  'shipping CancelShipment': 'carrier cancel',
  'notification OrderConfirmed': 'smtp send',
  'notification OrderDispatched': 'smtp send',
  'notification OrderCancelled': 'smtp send',
};

const step = (service: string, because: string, ...says: string[]): Step => ({ service, because, says });

const told = (kind: string): Step => step('notification', kind, 'NotificationSent');

const accepted = step('order', 'OrderAccepted', 'OrderPlaced', 'ReserveStock');
const reserved = [
  accepted,
  step('inventory', 'ReserveStock', 'StockReserved'),
  step('order', 'StockReserved', 'AuthorizePayment'),
];
const confirmed = [
  ...reserved,
  step('payment', 'AuthorizePayment', 'PaymentAuthorized'),
  step('order', 'PaymentAuthorized', 'OrderConfirmed', 'ArrangeShipment'),
  told('OrderConfirmed'),
];
/** Money and stock are given back, and whichever is heard last ends the order. */
const undone = [
  step('payment', 'VoidPayment', 'PaymentVoided'),
  step('inventory', 'ReleaseStock', 'StockReleased'),
  step('order', 'PaymentVoided'),
  step('order', 'StockReleased'),
  told('OrderCancelled'),
];
const recalled = [
  step('shipping', 'ArrangeShipment', 'ShipmentArranged'),
  step('shipping', 'CancelShipment', 'ShipmentCancelled'),
  step('order', 'ShipmentCancelled', 'VoidPayment', 'ReleaseStock'),
  ...undone,
];

/** The order reaches its customer. */
export const completed = storyOf([
  ...confirmed,
  step('shipping', 'ArrangeShipment', 'ShipmentArranged'),
  step('shipping', 'CarrierReported', 'ShipmentDispatched', 'ShipmentDelivered'),
  step('order', 'ShipmentDispatched', 'OrderDispatched', 'CapturePayment', 'CommitStock'),
  told('OrderDispatched'),
  step('payment', 'CapturePayment', 'PaymentCaptured'),
  step('inventory', 'CommitStock', 'StockCommitted'),
  step('order', 'PaymentCaptured', 'OrderCompleted'),
]);

export const outOfStock = storyOf([
  accepted,
  step('inventory', 'ReserveStock', 'StockRejected'),
  step('order', 'StockRejected', 'OrderCancelled'),
  told('OrderCancelled'),
]);

const declined = storyOf([
  ...reserved,
  step('payment', 'AuthorizePayment', 'PaymentDeclined'),
  step('order', 'PaymentDeclined', 'ReleaseStock'),
  step('inventory', 'ReleaseStock', 'StockReleased'),
  step('order', 'StockReleased', 'OrderCancelled'),
  told('OrderCancelled'),
]);

const refusedByCarrier = storyOf(
  [
    ...confirmed,
    step('shipping', 'ArrangeShipment', 'ShipmentRefused'),
    step('order', 'ShipmentRefused', 'VoidPayment', 'ReleaseStock'),
    ...undone,
  ],
  lastOf('PaymentVoided', 'StockReleased'),
);

const cancelledByCustomer = storyOf(
  [...confirmed, step('order', 'CancellationRequested', 'CancelShipment'), ...recalled],
  lastOf('PaymentVoided', 'StockReleased'),
);

/** No parcel left in time: it is called back, and money and stock are given back. */
export const timedOut = storyOf(
  [...confirmed, step('order', 'DeadlineExpired', 'CancelShipment'), ...recalled],
  lastOf('PaymentVoided', 'StockReleased'),
);

/** Nobody paid while the stock was held. */
export const holdExpired = storyOf([
  ...reserved,
  step('inventory', 'HoldExpired', 'StockReleased'),
  step('order', 'StockReleased', 'VoidPayment'),
  step('payment', 'AuthorizePayment', 'PaymentAuthorized'),
  step('payment', 'VoidPayment', 'PaymentVoided'),
  step('order', 'PaymentVoided', 'OrderCancelled'),
  told('OrderCancelled'),
]);

/** How the orders of each scene of the tour may go, by the name of the scene. */
export const storiesOfScene: Readonly<Record<string, readonly Story[]>> = {
  'Confirmed and shipped': [completed],
  'Out of stock': [outOfStock],
  'Card declined': [declined],
  'Carrier refuses after payment': [refusedByCarrier],
  'Cancelled by the customer': [cancelledByCustomer],
  'The same request twice': [completed],
  'Fifty customers for the last five': [completed, outOfStock],
};

function storyOf(steps: readonly Step[], ...oneOf: (readonly string[])[]): Story {
  const always = steps.flatMap(({ service, because, says }) => [
    ...(because in localCauses ? [`${localCauses[because]} → ${causeOf(service, because)}`] : []),
    ...(calls[`${service} ${because}`] === undefined
      ? []
      : [`${causeOf(service, because)} → ${service}: ${calls[`${service} ${because}`]}`]),
    ...says.flatMap((type) => [
      `${causeOf(service, because)} → ${sendOf(service, type)}`,
      ...heardEdges(service, type),
    ]),
  ]);
  const ends = oneOf.length === 0 ? [] : heardEdges('order', 'OrderCancelled');
  return { always: [...new Set([...always, ...ends])], oneOf };
}

/** The order is cancelled because of whichever of these is heard last. */
function lastOf(...types: readonly string[]): readonly string[] {
  return types.map((type) => `${causeOf('order', type)} → ${sendOf('order', 'OrderCancelled')}`);
}

function heardEdges(sayer: string, type: string): readonly string[] {
  const topic = topicOf(type);
  return (hearers[topic]?.(type) ?? []).map((hearer) => `${sendOf(sayer, type)} → ${hearer}: process ${topic} ${type}`);
}

/** The span in which something is said because of a message. */
function causeOf(service: string, type: string): string {
  return type in localCauses ? `${service}: decide ${type}` : `${service}: process ${topicOf(type)} ${type}`;
}

function sendOf(service: string, type: string): string {
  return `${service}: send ${topicOf(type)} ${type}`;
}

function topicOf(type: string): string {
  const contract = catalogue.find((each) => each.type === type);
  if (contract === undefined) throw new Error(`No message is called ${type}.`);
  return contract.topic.name;
}

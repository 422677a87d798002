import type { Scene, Stage } from './stage.ts';
import { lastFive } from './last-five.ts';

const confirmedAndShipped: Scene = {
  name: 'Confirmed and shipped',
  story: 'Ada orders two, her card is good, and the parcel leaves.',
  async play(stage) {
    const before = await stage.shop.stockOf(stage.product.sku);
    const orderId = await stage.place(stage.wish('ada', { quantity: 2 }));
    const timeline = await stage.follow(orderId);
    await stage.checkEnd(orderId, 'completed');
    const { total, tracking } = await stage.shop.order(orderId);
    stage.check('the parcel can be followed', tracking !== undefined, true);
    const payment = await stage.shop.paymentOf(orderId);
    stage.check('her card was charged the total', payment?.capturedMinor, total.amountMinor);
    await stage.checkSoon('two less are on the shelf', async () => stockOf(stage), {
      ...before,
      onHand: before.onHand - 2,
      available: before.available - 2,
    });
    stage.checkTold(timeline, ['order-confirmed', 'order-dispatched']);
  },
};

const outOfStock: Scene = {
  name: 'Out of stock',
  story: 'Ben orders what is not there any more.',
  async play(stage) {
    const sku = stage.sku('SOLD-OUT');
    await stage.list(sku, 'Teapot that everybody wanted', 0);
    const orderId = await stage.place(stage.wish('ben', { sku }));
    const timeline = await stage.follow(orderId);
    await stage.checkEnd(orderId, 'cancelled', 'out-of-stock');
    stage.check('nobody touched his card', await stage.shop.paymentOf(orderId), undefined);
    stage.checkTold(timeline, ['order-cancelled']);
  },
};

const cardDeclined: Scene = {
  name: 'Card declined',
  story: "Cleo's card is declined after the stock was set aside for her: it goes back on the shelf.",
  async play(stage) {
    const before = await stockOf(stage);
    const orderId = await stage.place(stage.wish('cleo', { quantity: 3, paymentToken: 'tok_declined' }));
    const timeline = await stage.follow(orderId);
    await stage.checkEnd(orderId, 'cancelled', 'payment-declined');
    stage.check('stock was set aside and given back', saidOf(timeline, ['StockReserved', 'StockReleased']), [
      'StockReserved',
      'StockReleased',
    ]);
    stage.check('the shelf is as before', await stockOf(stage), before);
    stage.check('no money moved', (await stage.shop.paymentOf(orderId))?.capturedMinor, 0);
    stage.checkTold(timeline, ['order-cancelled']);
  },
};

const carrierRefuses: Scene = {
  name: 'Carrier refuses after payment',
  story: 'No carrier goes to where Dora lives, and her money is held already: money and stock come back.',
  async play(stage) {
    const before = await stockOf(stage);
    const orderId = await stage.place(stage.wish('dora', { postcode: '00000' }));
    const timeline = await stage.follow(orderId);
    await stage.checkEnd(orderId, 'cancelled', 'shipment-refused');
    stage.check('the money was held and given up', saidOf(timeline, ['PaymentAuthorized', 'PaymentVoided']), [
      'PaymentAuthorized',
      'PaymentVoided',
    ]);
    stage.check('the payment is void', (await stage.shop.paymentOf(orderId))?.status, 'voided');
    stage.check('the shelf is as before', await stockOf(stage), before);
    stage.checkTold(timeline, ['order-cancelled', 'order-confirmed']);
  },
};

const cancelledByCustomer: Scene = {
  name: 'Cancelled by the customer',
  story: 'Emil changes his mind after the confirmation, before the parcel leaves.',
  async play(stage) {
    const before = await stockOf(stage);
    const orderId = await stage.place(stage.wish('emil', { quantity: 4 }));
    await stage.followUntil(orderId, 'OrderConfirmed');
    const { status } = await stage.shop.cancel(orderId);
    stage.check('his wish is accepted: 202', status, 202);
    const timeline = await stage.follow(orderId);
    await stage.checkEnd(orderId, 'cancelled', 'customer-request');
    stage.check('the parcel was called back', saidOf(timeline, ['ShipmentCancelled']), ['ShipmentCancelled']);
    stage.check('the payment is void', (await stage.shop.paymentOf(orderId))?.status, 'voided');
    stage.check('the shelf is as before', await stockOf(stage), before);
    stage.checkTold(timeline, ['order-cancelled', 'order-confirmed']);
  },
};

const sameRequestTwice: Scene = {
  name: 'The same request twice',
  story: "Fay's phone loses the answer and sends the order again, under the same Idempotency-Key.",
  async play(stage) {
    const before = await stockOf(stage);
    const wish = stage.wish('fay');
    const key = `fay-${stage.run}`;
    const first = await stage.ask(wish, key);
    const second = await stage.ask(wish, key);
    stage.check('both are accepted with the same answer', second, first);
    const other = await stage.ask({ ...wish, lines: [{ sku: stage.product.sku, quantity: 9 }] }, key);
    stage.check('another order under the same key is refused: 422', other.status, 422);
    const [order, ...more] = await stage.shop.ordersOf(wish.customerId);
    stage.check('she has one order', more.length, 0);
    if (order === undefined) throw new Error('The order is not in the list of the customer.');
    await stage.follow(order.orderId);
    await stage.checkEnd(order.orderId, 'completed');
    await stage.checkSoon('one less is on the shelf', async () => stockOf(stage), {
      ...before,
      onHand: before.onHand - 1,
      available: before.available - 1,
    });
  },
};

/** The tour, scene by scene. Each stands alone, but they are played one after the other: they count the same shelf. */
export const scenes: readonly Scene[] = [
  confirmedAndShipped,
  outOfStock,
  cardDeclined,
  carrierRefuses,
  cancelledByCustomer,
  sameRequestTwice,
  lastFive,
];

function stockOf(stage: Stage) {
  return stage.shop.stockOf(stage.product.sku);
}

/** Those of the types that are in a timeline, in the order in which they were asked for. */
function saidOf(timeline: readonly { readonly type: string }[], types: readonly string[]): string[] {
  return types.filter((type) => timeline.some((entry) => entry.type === type));
}

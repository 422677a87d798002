import type { Order } from './shop-client.ts';
import type { Scene } from './stage.ts';

const CUSTOMERS = 50;
const STOCK = 5;

/** Everybody at once, for too little. */
export const lastFive: Scene = {
  name: 'Fifty customers for the last five',
  story: `${CUSTOMERS} customers order the last ${STOCK} at the same moment.`,
  async play(stage) {
    const sku = stage.sku('LAST-FIVE');
    await stage.list(sku, 'Hand-thrown bowl, the last five', STOCK);
    const startedAt = performance.now();
    const tookMs = () => `after ${Math.round(performance.now() - startedAt)} ms`;

    const wishes = Array.from({ length: CUSTOMERS }, (_, index) => stage.wish(`guest${index + 1}`, { sku }));
    const orderIds = await Promise.all(wishes.map((wish) => stage.place(wish)));
    stage.tell(`${orderIds.length} orders were accepted ${tookMs()}`);
    const orders = new Map<string, Order>();
    await stage.until('all orders ended', async () => {
      const open = orderIds.filter(
        (orderId) => orders.get(orderId)?.reason === undefined && orders.get(orderId)?.status !== 'completed',
      );
      for (const order of await Promise.all(open.map((orderId) => stage.shop.order(orderId))))
        orders.set(order.orderId, order);
      return [...orders.values()].every(({ status }) => status === 'completed' || status === 'cancelled');
    });
    const completed = [...orders.values()].filter(({ status }) => status === 'completed');
    const refused = [...orders.values()].filter(({ reason }) => reason === 'out-of-stock');
    stage.tell(`${completed.length} were shipped, ${refused.length} were told that it is sold out, ${tookMs()}`);

    stage.check('exactly five got one', completed.length, STOCK);
    stage.check('all others were told that it is out of stock', refused.length, CUSTOMERS - STOCK);
    const payments = await Promise.all(refused.map(({ orderId }) => stage.shop.paymentOf(orderId)));
    stage.check('nobody else was asked for money', payments.filter((payment) => payment !== undefined).length, 0);
    await stage.checkSoon('the shelf is empty', () => stage.shop.stockOf(sku), {
      onHand: 0,
      reserved: 0,
      available: 0,
    });
  },
};

import { describe, expect, it } from '@jest/globals';
import type { Sku } from '@millrace/contracts';
import type { LocalTransaction, LocalTransactions } from '@millrace/messaging';
import { Metrics } from '@millrace/observability';
import type { ProductStore } from '../catalog/store/product.store.ts';
import type { CheckoutDecider } from '../checkout/checkout.decider.ts';
import { AcceptOrders, type Placement } from './accept-orders.ts';
import { PlaceOrder } from './domain/place-order.ts';

const request = PlaceOrder.parse({
  customerId: 'customer-1',
  lines: [{ sku: 'MUG-BLUE', quantity: 2 }],
  currency: 'EUR',
  shippingAddress: {
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    street: 'Marktplatz 1',
    postcode: '10115',
    city: 'Berlin',
    country: 'DE',
  },
  paymentToken: 'tok_approved',
});

const placement = (key: string): Placement => ({ key, requestHash: 'hash', request, traceparent: undefined });

const mug = { sku: 'MUG-BLUE' as Sku, name: 'Blue mug', price: { amountMinor: 1290, currency: 'EUR' } };

/** Acceptance on a database that fails as told, asked with the keys of each batch. */
function accepting(failureOf: (keys: readonly string[]) => Error | undefined) {
  const batches: (readonly string[])[] = [];
  const local = {
    now: new Date(),
    tx: {
      query: async ({ values: [keys] }: { values: [readonly string[]] }) => {
        batches.push(keys);
        const failure = failureOf(keys);
        if (failure !== undefined) throw failure;
        return { rows: keys.map((key) => ({ key, is_claimed: true, request_hash: null, order_id: null })) };
      },
    },
    decide: async () => [],
  } as unknown as LocalTransaction;
  const metrics = new Metrics();
  const orders = new AcceptOrders(
    { run: (work: (with_: LocalTransaction) => Promise<unknown>) => work(local) } as LocalTransactions,
    { find: async () => new Map([[mug.sku, mug]]) } as unknown as ProductStore,
    {} as CheckoutDecider,
    metrics,
  );
  const answers = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      Array.from(
        (await metrics.text()).matchAll(/^order_placements_total\{outcome="([a-z-]+)"\} (\d+)$/gm),
        ([, outcome, times]) => [outcome, Number(times)],
      ),
    );
  return { orders, batches, answers };
}

describe('accepting orders', () => {
  it('takes what comes together in one transaction', async () => {
    const { orders, batches } = accepting(() => undefined);
    await Promise.all(['a', 'b', 'c'].map((key) => orders.place(placement(key))));
    expect(batches).toEqual([['a', 'b', 'c']]);
  });

  it('fails alone when its own order is to blame', async () => {
    const { orders } = accepting((keys) => (keys.includes('poison') ? new Error('no such order') : undefined));
    const outcomes = await Promise.allSettled(['a', 'poison', 'b'].map((key) => orders.place(placement(key))));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('asks a database that is away only once for the whole batch', async () => {
    const away = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const { orders, batches } = accepting(() => away);
    const outcomes = await Promise.allSettled(['a', 'b'].map((key) => orders.place(placement(key))));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(batches).toHaveLength(1);
  });

  it('asks a database that has no time for the batch only once, too', async () => {
    const busy = Object.assign(new Error('canceling statement due to lock timeout'), { code: '55P03' });
    const { orders, batches } = accepting(() => busy);
    const outcomes = await Promise.allSettled(['a', 'b'].map((key) => orders.place(placement(key))));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(batches).toHaveLength(1);
  });

  it('lets a key be used again after its request has failed', async () => {
    let isAway = true;
    const { orders } = accepting(() => (isAway ? new Error('away') : undefined));
    await expect(orders.place(placement('a'))).rejects.toThrow('away');
    isAway = false;
    expect(await orders.place(placement('a'))).toMatchObject({ kind: 'placed' });
  });

  it('counts every answer from 0, so that the first of a kind is an increase', async () => {
    const { orders, answers } = accepting((keys) => (keys.includes('poison') ? new Error('no such order') : undefined));
    const none = {
      placed: 0,
      'key-in-flight': 0,
      'key-of-another-request': 0,
      'not-for-sale': 0,
      'too-large': 0,
      'too-busy': 0,
      failed: 0,
    };
    expect(await answers()).toEqual(none);
    await orders.place(placement('a'));
    await expect(orders.place(placement('poison'))).rejects.toThrow('no such order');
    expect(await answers()).toEqual({ ...none, placed: 1, failed: 1 });
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId } from '@millrace/contracts';
import { heard } from '../testing/given.ts';
import { tally, tallyStore, type TestReplica, Workbench } from '../fixtures/index.ts';
import { until } from '../testing/until.ts';
import { LocalTransactions } from './local-transactions.ts';

describe('a local transaction', () => {
  let bench: Workbench;
  let replica: TestReplica;
  let local: LocalTransactions;

  beforeAll(async () => {
    bench = await Workbench.open([]);
    replica = await bench.start({});
    local = replica.get(LocalTransactions);
  });
  afterAll(async () => {
    await bench.close();
  });

  const decider = { store: tallyStore, decide: tally };
  const said = async (orderId: OrderId): Promise<number> =>
    (await bench.topics.read('payment.events.v1')).filter(({ key }) => key === orderId).length;
  const waiting = async (orderId: OrderId): Promise<number> =>
    (await bench.database.query('SELECT 1 FROM messaging.outbox WHERE key = $1', [orderId])).rows.length;

  it('stores the state and what was said together, and sends it after the commit', async () => {
    const orderId = newId<OrderId>();
    const message = heard(CapturePayment, { orderId });
    const [decision] = await local.run(({ decide }) => decide(decider, [message]));
    expect(decision?.state?.count).toBe(1);
    expect(await bench.applied(orderId)).toEqual([message.id]);
    await until('it is sent', async () => (await said(orderId)) === 1);
  });

  it('undoes everything when one of its decisions fails, and tells with which error', async () => {
    const orders = [newId<OrderId>(), newId<OrderId>()] as const;
    const failing = {
      store: tallyStore,
      decide: (...[state, message, context]: Parameters<typeof tally>) => {
        if (message.body.orderId === orders[1]) throw new TypeError('nobody thought of this');
        return tally(state, message, context);
      },
    };
    const failed = local.run(async ({ tx, decide }) => {
      await tx.query(`INSERT INTO tally VALUES ($1, 7, '[]')`, [newId()]);
      return decide(
        failing,
        orders.map((orderId) => heard(CapturePayment, { orderId })),
      );
    });
    await expect(failed).rejects.toThrow('nobody thought of this');
    for (const orderId of orders) expect(await bench.applied(orderId)).toEqual([]);
    expect((await bench.database.query('SELECT 1 FROM tally WHERE count = 7')).rows).toEqual([]);
    expect(await waiting(orders[0])).toBe(0);
    expect(await said(orders[0])).toBe(0);
  });

  it('says nothing when its work fails after the decision', async () => {
    const orderId = newId<OrderId>();
    const failed = local.run(async ({ decide }) => {
      await decide(decider, [heard(CapturePayment, { orderId })]);
      throw new Error('the caller went away');
    });
    await expect(failed).rejects.toThrow('the caller went away');
    expect(await bench.applied(orderId)).toEqual([]);
    expect(await waiting(orderId)).toBe(0);
    expect(await said(orderId)).toBe(0);
  });
});

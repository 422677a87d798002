import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, type OrderId, PaymentVoided } from '@millrace/contracts';
import type { Queryable, Transaction } from '@millrace/database';
import { Workbench } from '../fixtures/index.ts';
import type { Decision } from '../handlers/decision.ts';
import { type Handler, dues } from '../handlers/handler.ts';
import { type LocalMessage, localMessage } from '../handlers/local-message.ts';
import { keyedStore } from '../handlers/state-store.ts';
import { until } from '../testing/until.ts';

type Expired = LocalMessage<'HoldExpired', { readonly orderId: OrderId }>;
interface Hold {
  readonly orderId: OrderId;
  readonly isHeld: boolean;
}

const HOLDS = `CREATE TABLE holds (
  order_id uuid PRIMARY KEY, is_held boolean NOT NULL, held_until timestamptz NOT NULL, correlation_id text, traceparent text,
  is_stuck boolean NOT NULL DEFAULT false, CHECK (is_held OR NOT is_stuck)
)`;

const store = keyedStore<Hold, Expired>({
  load: async (db: Queryable, keys) => {
    const { rows } = await db.query<{ order_id: OrderId; is_held: boolean }>(
      'SELECT order_id, is_held FROM holds WHERE order_id = ANY($1::uuid[]) ORDER BY order_id FOR UPDATE',
      [keys],
    );
    return new Map(rows.map(({ order_id, is_held }) => [order_id, { orderId: order_id, isHeld: is_held }]));
  },
  save: async (tx: Transaction, changes) => {
    await tx.query('UPDATE holds SET is_held = false WHERE order_id = ANY($1::uuid[])', [
      changes.map(({ key }) => key),
    ]);
  },
});

const due = async (tx: Transaction, now: Date, limit: number): Promise<readonly Expired[]> => {
  const { rows } = await tx.query<{ order_id: OrderId; correlation_id: string; traceparent: string | null }>(
    `SELECT order_id, correlation_id, traceparent FROM holds WHERE is_held AND held_until <= $1
     ORDER BY held_until LIMIT $2 FOR UPDATE SKIP LOCKED`,
    [now, limit],
  );
  return rows.map(({ order_id: orderId, correlation_id: correlationId, traceparent }) =>
    localMessage(
      'HoldExpired',
      orderId,
      { orderId },
      { source: 'test', now, correlationId, traceparent: traceparent ?? undefined },
    ),
  );
};

const giveUp = (hold: Hold | undefined, { body }: Expired): Decision<Hold | undefined> => ({
  state: { orderId: body.orderId, isHeld: false },
  messages: hold?.isHeld === true ? [PaymentVoided({ orderId: body.orderId })] : [],
});

describe('what becomes due', () => {
  let bench: Workbench;

  beforeAll(async () => {
    bench = await Workbench.open([], HOLDS);
  });
  beforeEach(async () => {
    await bench.database.query('TRUNCATE holds');
  });
  afterEach(async () => {
    await bench.stopReplicas();
  });
  afterAll(async () => {
    await bench.close();
  });

  let looks = 0;
  const job = (decide = giveUp, onFound: (found: number) => Promise<void> = () => Promise.resolve()): Handler =>
    dues({
      store,
      decide,
      due: async (tx, now, limit) => {
        looks += 1;
        const found = await due(tx, now, limit);
        await onFound(found.length);
        return found;
      },
      everyMs: 20,
    });
  const hold = async (orders: readonly OrderId[], heldUntil: Date, isStuck = false): Promise<void> => {
    await bench.database.query(
      `INSERT INTO holds SELECT id, true, $2, 'conversation-' || id, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00', $3
       FROM unnest($1::uuid[]) AS id`,
      [orders, heldUntil, isStuck],
    );
  };
  const held = async (): Promise<number> =>
    (await bench.database.query<{ n: number }>('SELECT count(*)::int AS n FROM holds WHERE is_held')).rows[0]?.n ?? 0;
  const orderIds = (count: number): OrderId[] => Array.from({ length: count }, () => newId<OrderId>());

  it('is found, decided and said, in the conversation and trace it belongs to; what is not due yet stays', async () => {
    const [expired, later] = [newId<OrderId>(), newId<OrderId>()];
    await hold([expired], new Date(Date.now() - 1000));
    await hold([later], new Date(Date.now() + 3_600_000));
    await bench.start({ 'test.holds': job() });
    const said = await until('it is said', async () =>
      (await bench.topics.read('payment.events.v1')).find(({ key }) => key === expired),
    );
    expect(said.headers).toMatchObject({
      ce_type: PaymentVoided.wireType,
      'correlation-id': `conversation-${expired}`,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
    });
    expect(await held()).toBe(1);
  });

  it('is shared by two replicas, and nothing of it is done twice', async () => {
    const orders = orderIds(3000);
    await hold(orders, new Date(Date.now() - 1000));
    const [finders, deciders] = [new Set<number>(), new Set<number>()];
    const { promise: haveBothFound, resolve: bothHaveFound } = Promise.withResolvers<void>();
    const by = (replica: number): Handler =>
      job(
        (state, message) => {
          deciders.add(replica);
          return giveUp(state, message);
        },
        // One that starts late would find nothing left.
        async (found) => {
          if (found > 0) finders.add(replica);
          if (finders.size === 2) bothHaveFound();
          if (found > 0) await haveBothFound;
        },
      );
    await Promise.all([bench.start({ 'test.holds': by(1) }), bench.start({ 'test.holds': by(2) })]);
    await until('all are given up', async () => (await held()) === 0);
    await bench.stopReplicas();
    const said = (await bench.topics.read('payment.events.v1')).filter(({ key }) => orders.includes(key as OrderId));
    expect(said).toHaveLength(orders.length);
    expect(deciders.size).toBe(2);
  });

  it('is not kept waiting by rows that cannot be decided, however many, nor by one that cannot be saved', async () => {
    const [undecidable, unsavable, fine] = [new Set(orderIds(700)), newId<OrderId>(), orderIds(10)];
    await hold([...undecidable], new Date(Date.now() - 3000));
    await hold([unsavable], new Date(Date.now() - 2000), true);
    await hold(fine, new Date(Date.now() - 1000));
    let failures = 0;
    await bench.start({
      'test.holds': job((state, message) => {
        if (undecidable.has(message.body.orderId)) {
          failures += 1;
          throw new TypeError('nobody thought of this');
        }
        return giveUp(state, message);
      }),
    });
    await until('the others are given up', async () => (await held()) === undecidable.size + 1);
    const { rows } = await bench.database.query<{ order_id: OrderId }>('SELECT order_id FROM holds WHERE NOT is_held');
    expect(rows.map(({ order_id }) => order_id).sort()).toEqual([...fine].sort());
    const said = await until('they are told', async () => {
      const read = (await bench.topics.read('payment.events.v1')).filter(({ key }) => fine.includes(key as OrderId));
      return read.length === fine.length && read;
    });
    expect(said).toHaveLength(fine.length);
    // They rest: nothing is decided about them again and again.
    const [failuresBefore, looksBefore] = [failures, looks];
    await until('it looked again', () => looks > looksBefore + 2);
    expect(failures).toBe(failuresBefore);
  });
});

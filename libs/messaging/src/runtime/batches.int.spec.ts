import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId, VoidPayment } from '@millrace/contracts';
import type { TestDatabase } from '@millrace/database/testing';
import {
  messagingDatabase,
  recordFor,
  startReplica,
  TALLY_TABLE,
  tally,
  tallyStore,
  type TestReplica,
} from '../fixtures/index.ts';
import { decides } from '../handlers/handler.ts';
import { TestTopics } from '../testing/test-topics.ts';
import { until } from '../testing/until.ts';

const GROUP = 'test.tally';

describe('a group that decides', () => {
  let topics: TestTopics;
  let storage: TestDatabase;
  const replicas: TestReplica[] = [];

  beforeAll(async () => {
    topics = new TestTopics();
    [storage] = await Promise.all([messagingDatabase(TALLY_TABLE), topics.create([GROUP])]);
  });
  afterEach(async () => {
    await Promise.all(replicas.splice(0).map((replica) => replica.stop()));
  });
  afterAll(async () => {
    await topics.close();
    await storage.drop();
  });

  const start = async (decide = tally): Promise<TestReplica> => {
    const retry = { attempts: 2, firstDelayMs: 20 };
    const handler = decides({ hears: [CapturePayment], store: tallyStore, decide, retry });
    const replica = await startReplica({ url: storage.url, topics, handlers: { [GROUP]: handler } });
    replicas.push(replica);
    return replica;
  };
  const appliedTo = async (replica: TestReplica, orderId: OrderId): Promise<readonly string[]> => {
    const { rows } = await replica.database.query<{ applied: string[] }>(
      'SELECT applied FROM tally WHERE order_id = $1',
      [orderId],
    );
    return rows[0]?.applied ?? [];
  };
  const capture = (orderId: OrderId, id?: string) =>
    recordFor(CapturePayment, { orderId }, id === undefined ? {} : { id });

  it('applies each message once and in order, and says what was decided, also when messages come twice', async () => {
    const orders = Array.from({ length: 20 }, () => newId<OrderId>());
    const records = Array.from({ length: 10 }, () => orders.map((orderId) => capture(orderId))).flat();
    await topics.send(records);
    await topics.send(records);
    const replica = await start();
    // Twice in one batch, and once more in another.
    await until(
      'the first copies are applied',
      async () => (await appliedTo(replica, orders[0] as OrderId)).length === 10,
    );
    await topics.send(records);
    const last = capture(orders[0] as OrderId);
    await topics.send([last]);
    await until('the last message is applied', async () =>
      (await appliedTo(replica, orders[0] as OrderId)).includes(last.id),
    );
    await until('all are applied', async () => {
      const { rows } = await replica.database.query<{ n: number }>('SELECT sum(count)::int AS n FROM tally');
      return (rows[0]?.n ?? 0) >= records.length + 1;
    });
    for (const orderId of orders) {
      const sent = records.filter(({ key }) => key === orderId).map(({ id }) => id);
      if (orderId === orders[0]) sent.push(last.id);
      expect(await appliedTo(replica, orderId)).toEqual(sent);
    }
    const said = await until('all is said', async () => {
      const read = await topics.read('payment.events.v1');
      return read.length >= records.length + 1 && read;
    });
    expect(said).toHaveLength(records.length + 1);
    for (const orderId of orders) {
      const amounts = said
        .filter(({ key }) => key === orderId)
        .map(({ value }) => (JSON.parse(String(value)) as { amount: { amountMinor: number } }).amount.amountMinor);
      expect(amounts).toEqual(amounts.map((_, index) => index + 1));
    }
  });

  it('dead-letters what is no message, with reason and origin, and applies its neighbours', async () => {
    const order = newId<OrderId>();
    const [before, after] = [capture(order), capture(order)];
    const good = capture(order);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
    const badBytes = Buffer.from([0x00, 0xff, 0xfe]);
    await topics.send([
      before,
      { ...good, value: '{"orderId": ', headers: { ...good.headers, traceparent, ce_id: newId() } },
      { ...good, value: badBytes, headers: { ...good.headers, ce_id: newId() } },
      { ...good, headers: { ...good.headers, ce_type: 'com.acme.Nonsense.v1', ce_id: newId() } },
      { ...good, value: '{"orderId": 5}', headers: { ...good.headers, ce_id: newId() } },
      { ...good, headers: {} },
      recordFor(VoidPayment, { orderId: order }),
      after,
    ]);
    const replica = await start();
    await until('the neighbours are applied', async () => (await appliedTo(replica, order)).length === 2);
    expect(await appliedTo(replica, order)).toEqual([before.id, after.id]);
    const letters = await until('the dead letters arrive', async () => {
      const read = await topics.read(`${GROUP}.dlq`);
      return read.length >= 5 && read;
    });
    expect(letters.map(({ headers }) => headers['dlq-reason']).sort()).toEqual([
      'bad-envelope',
      'bad-json',
      'bad-json',
      'schema-violation',
      'unknown-type',
    ]);
    const broken = letters.find(({ headers }) => headers['traceparent'] === traceparent);
    expect(broken?.headers).toMatchObject({
      'dlq-group': GROUP,
      'dlq-origin-topic': 'payment.commands.v1',
      'dlq-attempts': '1',
      ce_type: 'millrace.CapturePayment.v1',
    });
    expect(broken?.headers['dlq-origin-offset']).toMatch(/^\d+$/);
    expect(letters.some(({ value }) => value?.equals(badBytes))).toBe(true);
  });

  it('gives up a message whose handler throws, and one that breaks the transaction, each alone and after its last try', async () => {
    const throws = newId<OrderId>();
    const breaks = newId<OrderId>();
    const fine = Array.from({ length: 30 }, () => newId<OrderId>());
    const replica = await start((state, message, context) => {
      if (message.body.orderId === throws) throw new TypeError('the handler has a bug');
      const decision = tally(state, message, context);
      return message.body.orderId === breaks && decision.state
        ? { ...decision, state: { ...decision.state, count: 5000 } }
        : decision;
    });
    const before = (await topics.read(`${GROUP}.dlq`)).length;
    await topics.send([...fine, throws, breaks, ...fine].map((orderId) => capture(orderId)));
    const letters = await until('both dead letters arrive', async () => {
      const read = await topics.read(`${GROUP}.dlq`);
      return read.length >= before + 2 && read.slice(before);
    });
    expect(letters.map(({ key, headers }) => [key, headers['dlq-attempts']]).sort()).toEqual(
      [throws, breaks].sort().map((key) => [key, '2']),
    );
    expect(letters.find(({ key }) => key === throws)?.headers['dlq-error']).toContain('the handler has a bug');
    expect(letters.find(({ key }) => key === breaks)?.headers['dlq-error']).toContain('tally_count_check');
    for (const orderId of fine)
      await until('its neighbours are applied', async () => (await appliedTo(replica, orderId)).length === 2);
  });

  it('says nothing that its contract refuses: the message becomes a dead letter and its state stays', async () => {
    const order = newId<OrderId>();
    const replica = await start((state, message, context) => {
      const decision = tally(state, message, context);
      return message.body.orderId === order
        ? { ...decision, messages: decision.messages.map((said) => ({ ...said, body: { orderId: order } })) }
        : decision;
    });
    await topics.send([capture(order)]);
    await until('the dead letter arrives', async () =>
      (await topics.read(`${GROUP}.dlq`)).some(
        ({ key, headers }) => key === order && String(headers['dlq-error']).includes('ContractViolation'),
      ),
    );
    expect(await appliedTo(replica, order)).toEqual([]);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId } from '@millrace/contracts';
import { Database, type Transaction } from '@millrace/database';
import type { TestDatabase } from '@millrace/database/testing';
import { createLogger, Metrics } from '@millrace/observability';
import { messagingDatabase, recordFor } from '../fixtures/index.ts';
import { RecordProducer } from '../kafka/record-producer.ts';
import { TestTopics } from '../testing/test-topics.ts';
import { until } from '../testing/until.ts';
import { recordOf, storeRecords } from './outbox.ts';
import { Relay } from './relay.ts';

// pg_locks shows the locks of every database of the server, also of test files that run beside this one.
const HELD_HERE = `locktype = 'advisory' AND mode = 'ExclusiveLock'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
const TOPIC = 'payment.commands.v1';
const logger = createLogger({ service: 'test', level: 'silent' });

describe('the relay', () => {
  let topics: TestTopics;
  let storage: TestDatabase;
  let database: Database;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    topics = new TestTopics();
    [storage] = await Promise.all([messagingDatabase('SELECT 1'), topics.create(['test.large'])]);
    database = new Database({ url: storage.url, applicationName: 'test' });
  });
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()));
    await database.query('TRUNCATE messaging.outbox');
  });
  afterAll(async () => {
    await database.close();
    await topics.close();
    await storage.drop();
  });

  const startRelay = (
    producer = new RecordProducer(topics.kafka),
    own = new Database({ url: storage.url, applicationName: 'relay' }),
  ): { relay: Relay; database: Database } => {
    const relay = new Relay({
      database: own,
      producer,
      logger,
      metrics: new Metrics(),
      topicPrefix: topics.prefix,
      service: 'test',
    });
    relay.start();
    stops.push(async () => {
      await relay.drain();
      await own.close();
    });
    return { relay, database: own };
  };
  const store = (orders: readonly OrderId[], wake?: Relay): Promise<readonly string[]> =>
    database
      .transaction(async (tx) => {
        const records = orders.map((orderId) => recordFor(CapturePayment, { orderId }));
        const shards = await storeRecords(
          tx,
          records.map(({ topic, key, value, headers }) => ({
            topic,
            key: String(key),
            value: String(value),
            encoding: 'utf8' as const,
            headers: headers as Record<string, string>,
          })),
        );
        return { ids: records.map(({ id }) => id), shards };
      })
      .then(({ ids, shards }) => {
        wake?.wake(shards);
        return ids;
      });
  const isEmpty = async (): Promise<boolean> =>
    (await database.query<{ n: number }>('SELECT count(*)::int AS n FROM messaging.outbox')).rows[0]?.n === 0;
  const sentFor = async (orders: readonly OrderId[]): Promise<ReadonlyMap<string, readonly string[]>> => {
    const read = await topics.read(TOPIC);
    return new Map(
      orders.map((order) => [
        order,
        read.filter(({ key }) => key === order).map(({ headers }) => String(headers['ce_id'])),
      ]),
    );
  };

  it('keeps the order of each key while two relays share the work and one of them dies midway', async () => {
    const orders = Array.from({ length: 40 }, () => newId<OrderId>());
    const first = startRelay();
    const second = startRelay();
    await until('both relays hold shards', async () => {
      const { rows } = await database.query<{ holders: number }>(
        `SELECT count(DISTINCT pid)::int AS holders FROM pg_locks WHERE ${HELD_HERE}`,
      );
      return rows[0]?.holders === 2;
    });
    const expected = new Map(orders.map((order) => [order as string, [] as string[]]));
    for (let round = 0; round < 25; round++) {
      const ids = await store(orders, round % 2 === 0 ? first.relay : second.relay);
      orders.forEach((order, index) => expected.get(order)?.push(String(ids[index])));
      if (round === 12) {
        // The session of one relay is cut: its shards go over to the other, and come back.
        await database.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE ${HELD_HERE} LIMIT 1`);
      }
    }
    await until('everything is sent', isEmpty);
    for (const [order, ids] of await sentFor(orders)) {
      const withoutRepetitions = ids.filter((id, index) => ids.indexOf(id) === index);
      expect(withoutRepetitions).toEqual(expected.get(order));
    }
  });

  it('sends what another replica committed without waiting for its poll', async () => {
    startRelay();
    const waker = new Relay({
      database,
      producer: new RecordProducer(topics.kafka),
      logger,
      metrics: new Metrics(),
      topicPrefix: topics.prefix,
      service: 'test',
    });
    // The waker runs no loop of its own, so it holds no shard and must tell the one that does.
    const { promise, resolve } = Promise.withResolvers<void>();
    const listener = await database.connect();
    listener.on('notification', () => resolve());
    await listener.query('LISTEN millrace_outbox');
    await store([newId<OrderId>()], waker);
    await promise;
    listener.release(true);
    await until('it is sent', isEmpty);
  });

  it('deletes only what its own partition acknowledged, and sends the rest again in order', async () => {
    const orders = Array.from({ length: 30 }, () => newId<OrderId>());
    let isFirst = true;
    const lossy = new RecordProducer(topics.kafka);
    const send = lossy.send.bind(lossy);
    // As kafkajs does when a leader dies: the call resolves, and half of the partitions were never written.
    lossy.send = async (records) => {
      if (!isFirst) return send(records);
      isFirst = false;
      const kept = records.filter(({ key }) => orders.indexOf(String(key) as OrderId) % 2 === 0);
      const written = new Set(kept);
      await send(kept);
      return records.map((record) => (written.has(record) ? { partition: 0, offset: 0 } : undefined));
    };
    const ids = await store([...orders, ...orders]);
    startRelay(lossy);
    await until('everything is sent', isEmpty);
    const sent = await sentFor(orders);
    orders.forEach((order, index) => expect(sent.get(order)).toEqual([ids[index], ids[index + orders.length]]));
  });

  describe('what the process has just stored', () => {
    const twice = async (
      relay: Pick<Relay, 'remember'>,
      order: OrderId,
      between: (tx: Transaction, seqs: readonly string[]) => Promise<unknown>,
    ) =>
      database.transaction(async (tx) => {
        const row = { topic: TOPIC, key: order, encoding: 'utf8' as const, headers: {} };
        const stored = await storeRecords(tx, [
          { ...row, value: 'first' },
          { ...row, value: 'second' },
        ]);
        await between(tx, [...stored.records.keys()]);
        relay.remember(stored);
        return stored;
      });
    const valuesOf = async (order: OrderId) =>
      (await topics.read(TOPIC)).filter(({ key }) => key === order).map(({ value }) => String(value));
    const overwrite = 'UPDATE messaging.outbox SET value = $2 WHERE seq = $1';

    /** A relay that is busy with another message, so that it cannot look before it is let go on. */
    const busyRelay = async (own?: Database): Promise<{ readonly relay: Relay; readonly goOn: () => void }> => {
      const producer = new RecordProducer(topics.kafka);
      const send = producer.send.bind(producer);
      const isSending = Promise.withResolvers<void>();
      const mayGoOn = Promise.withResolvers<void>();
      producer.send = async (records) => {
        isSending.resolve();
        await mayGoOn.promise;
        return send(records);
      };
      const { relay } = startRelay(producer, own);
      await store([newId<OrderId>()], relay);
      await isSending.promise;
      return { relay, goOn: mayGoOn.resolve };
    };
    const behindAnother = async (work: (tx: Transaction, seqs: readonly string[]) => Promise<unknown>) => {
      const order = newId<OrderId>();
      const { relay, goOn } = await busyRelay();
      relay.wake(await twice(relay, order, work));
      goOn();
      await until('it is sent', isEmpty);
      return valuesOf(order);
    };

    it('is sent without being read back', async () => {
      const values = await behindAnother((tx, [first]) => tx.query(overwrite, [first, 'read back']));
      expect(values).toEqual(['first', 'second']);
    });

    it('is sent only if the database has it', async () => {
      const values = await behindAnother((tx, [first]) =>
        tx.query('DELETE FROM messaging.outbox WHERE seq = $1', [first]),
      );
      expect(values).toEqual(['second']);
    });

    it('keeps its order when it is forgotten while the rest of its key is read', async () => {
      const own = new Database({ url: storage.url, applicationName: 'relay' });
      const record = { topic: TOPIC, key: null, value: null, encoding: 'utf8' as const, headers: {} };
      const many = new Map(
        Array.from({ length: 5000 }, (_, index) => [`another ${index}`, { record, storedAt: new Date(), bytes: 1 }]),
      );
      let forget = (): void => {};
      const connect = own.connect.bind(own);
      own.connect = async () => {
        const session = await connect();
        const query = session.query.bind(session) as (config: unknown, ...more: unknown[]) => unknown;
        session.query = ((config: { readonly name?: string }, ...more: unknown[]) => {
          if (config.name === 'messaging.outbox.rows') forget();
          return query(config, ...more);
        }) as typeof session.query;
        return session;
      };
      const order = newId<OrderId>();
      const { relay, goOn } = await busyRelay(own);
      forget = () => relay.remember({ shards: new Set(), records: many });
      const stored = await twice({ remember: () => {} }, order, () => Promise.resolve());
      // The second one is unknown, as if another replica had stored it.
      relay.remember({ ...stored, records: new Map([...stored.records].slice(0, 1)) });
      relay.wake(stored);
      goOn();
      await until('it is sent', isEmpty);
      expect(await valuesOf(order)).toEqual(['first', 'second']);
    });

    it('is forgotten with the session: another one may be to a database that was restored', async () => {
      const order = newId<OrderId>();
      const producer = new RecordProducer(topics.kafka);
      const send = producer.send.bind(producer);
      let tries = 0;
      let isAway = true;
      producer.send = (records) => {
        tries += 1;
        return isAway ? Promise.reject(new Error('Kafka is away')) : send(records);
      };
      const { relay } = startRelay(producer);
      const stored = await twice(relay, order, () => Promise.resolve());
      relay.wake(stored);
      await until('a session has ended', () => Promise.resolve(tries > 0));
      await database.query(overwrite, [[...stored.records.keys()][0], 'of the restored database']);
      isAway = false;
      await until('it is sent', isEmpty);
      expect(await valuesOf(order)).toEqual(['of the restored database', 'second']);
    });
  });

  it('stores a dead letter byte for byte', async () => {
    const { relay } = startRelay();
    const bytes = Buffer.from([0, 1, 2, 255]);
    const shards = await database.transaction((tx) =>
      storeRecords(tx, [
        {
          topic: TOPIC,
          key: 'a-key',
          value: bytes.toString('base64'),
          encoding: 'base64',
          headers: { plain: 'text', binary: { base64: bytes.toString('base64') } },
        },
      ]),
    );
    relay.wake(shards);
    await until('it is sent', isEmpty);
    const letter = (await topics.read(TOPIC)).find(({ headers }) => headers['plain'] === 'text');
    expect(letter?.value?.equals(bytes)).toBe(true);
    expect(letter?.headers['binary']).toBe(String(bytes));
  });

  it('sends more than one partition takes at once, in several requests', async () => {
    const { relay } = startRelay();
    const order = newId<OrderId>();
    const row = { topic: TOPIC, key: order, value: 'x'.repeat(8_000), encoding: 'utf8' as const };
    const shards = await database.transaction((tx) =>
      storeRecords(
        tx,
        Array.from({ length: 400 }, (_, index) => ({ ...row, headers: { ce_id: String(index) } })),
      ),
    );
    relay.wake(shards);
    await until('everything is sent', isEmpty);
    const sent = (await sentFor([order])).get(order);
    expect(sent).toEqual(Array.from({ length: 400 }, (_, index) => String(index)));
  });

  it('refuses a message that no topic takes before it is stored, and takes the dead letter of the largest one', async () => {
    expect(() => recordOf({ topic: TOPIC, key: 'k', value: 'x'.repeat(1_000_000), headers: {} })).toThrow(
      'can be sent',
    );
    const { relay } = startRelay();
    const value = 'x'.repeat(1024 * 1024);
    const shards = await database.transaction((tx) =>
      storeRecords(tx, [{ topic: 'test.large.dlq', key: 'k', value, encoding: 'utf8', headers: {} }]),
    );
    relay.wake(shards);
    await until('it is sent', isEmpty);
    expect((await topics.read('test.large.dlq'))[0]?.value).toHaveLength(value.length);
  });

  it('numbers anew after a partition gave no answer, so that no record can be taken for a repetition', async () => {
    const producer = new RecordProducer(topics.kafka);
    const orders = Array.from({ length: 20 }, () => newId<OrderId>());
    const records = orders.map((orderId) => ({
      ...recordFor(CapturePayment, { orderId }),
      topic: topics.prefix + TOPIC,
    }));
    await producer.send(records);
    const connections: unknown[] = [];
    const kafka = topics.kafka.producer.bind(topics.kafka);
    topics.kafka.producer = (config) => {
      const made = kafka(config);
      connections.push(made);
      // The first answer of a second producer misses a partition.
      const sendBatch = made.sendBatch.bind(made);
      made.sendBatch = async (batch) => (await sendBatch(batch)).slice(connections.length === 1 ? 1 : 0);
      return made;
    };
    await producer.disconnect();
    expect(await producer.send(records)).toContain(undefined);
    expect(await producer.send(records)).not.toContain(undefined);
    expect(connections).toHaveLength(2);
    topics.kafka.producer = kafka;
    await producer.disconnect();
  });
});

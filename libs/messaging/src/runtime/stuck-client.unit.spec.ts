import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { CapturePayment } from '@millrace/contracts';
import { createLogger, Metrics } from '@millrace/observability';
import type { Consumer, Kafka } from '../kafka/client.ts';
import { ConsumerGroup } from './consumer-group.ts';
import type { GroupContext } from './settlement.ts';
import type { Worker } from './worker.ts';

const idleWorker: Worker = {
  accept: () => {},
  forget: () => {},
  stop: () => Promise.resolve(),
  outage: undefined,
};

/** A client that connects and runs, and does what comes then only when it is told. */
class SilentClient {
  readonly listeners = new Map<string, (event: unknown) => void>();
  readonly events = { GROUP_JOIN: 'join', REBALANCING: 'rebalancing', CRASH: 'crash', FETCH_START: 'fetch-start' };
  readonly restartsByItself: () => Promise<boolean>;
  readonly running = Promise.withResolvers<void>();
  isDisconnected = false;
  constructor({ retry }: Parameters<Kafka['consumer']>[0] & object) {
    this.restartsByItself = async () => (await retry?.restartOnFailure?.(new Error('the connection was lost'))) ?? true;
  }
  on = (event: string, listener: (event: unknown) => void): void => void this.listeners.set(event, listener);
  connect = (): Promise<void> => Promise.resolve();
  subscribe = (): Promise<void> => Promise.resolve();
  run = (): Promise<void> => this.running.promise;
  resume = (): void => {};
  pause = (): void => {};
  disconnect = (): Promise<void> => {
    this.isDisconnected = true;
    this.running.reject(new Error('the client was disconnected'));
    return Promise.resolve();
  };
  join(): void {
    this.running.resolve();
    this.listeners.get('join')?.({ payload: { memberAssignment: { 'payment.commands.v1': [0] } } });
  }
  fetch(nodeId: number): void {
    this.listeners.get('fetch-start')?.({ payload: { nodeId } });
  }
  fail(problem: string): void {
    this.listeners.get('crash')?.({ payload: { error: new Error(problem), restart: false } });
  }
}

let clients: SilentClient[] = [];
let fatal: string[] = [];
const group = (): ConsumerGroup =>
  new ConsumerGroup({
    kafka: {
      consumer: (options: Parameters<Kafka['consumer']>[0] & object) => {
        const client = new SilentClient(options);
        clients.push(client);
        return client as unknown as Consumer;
      },
    } as unknown as Kafka,
    context: {
      group: 'test.stuck',
      logger: createLogger({ service: 'test', level: 'silent' }),
      metrics: new Metrics(),
    } as GroupContext,
    topicPrefix: '',
    hears: [CapturePayment],
    worker: () => idleWorker,
    onFatal: ({ message }) => fatal.push(message),
  });

/** Time passes in which a client fetches from these brokers. */
const fetchingFor = async (
  seconds: number,
  client: SilentClient | undefined,
  brokers: readonly number[],
): Promise<void> => {
  for (let second = 0; second < seconds; second++) {
    for (const broker of brokers) client?.fetch(broker);
    await jest.advanceTimersByTimeAsync(1000);
  }
};

beforeEach(() => {
  clients = [];
  fatal = [];
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

it('replaces a client that neither joins nor fails, and hears no more of it', async () => {
  const member = group();
  member.start();
  await jest.advanceTimersByTimeAsync(19_000);
  expect(clients).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(3_000);
  expect(clients.map(({ isDisconnected }) => isDisconnected)).toEqual([true, false]);
  clients[0]?.join();
  expect(member.outage).toBe('joining the consumer group');
  clients[1]?.join();
  expect(member.outage).toBeUndefined();
  await member.stop();
});

it('leaves a client alone that has joined and goes on fetching from every broker', async () => {
  const member = group();
  member.start();
  await jest.advanceTimersByTimeAsync(100);
  clients[0]?.join();
  await fetchingFor(120, clients[0], [1, 2]);
  expect(clients).toHaveLength(1);
  await member.stop();
});

it.each([
  ['never fetches', [], []],
  ['fetches no more', [1, 2], []],
  ['fetches no more from one of its brokers', [1, 2], [1]],
])('replaces a client that has joined and %s', async (_what, first, later) => {
  const member = group();
  member.start();
  await jest.advanceTimersByTimeAsync(100);
  clients[0]?.join();
  for (const broker of first) clients[0]?.fetch(broker);
  await fetchingFor(29, clients[0], later);
  expect(clients).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(3000);
  expect(clients.map(({ isDisconnected }) => isDisconnected)).toEqual([true, false]);
  expect(member.outage).toBe('joining the consumer group');
  clients[1]?.join();
  expect(member.outage).toBeUndefined();
  await member.stop();
});

it('replaces a client that is lost in a rebalance', async () => {
  const member = group();
  member.start();
  await jest.advanceTimersByTimeAsync(100);
  clients[0]?.join();
  await fetchingFor(60, clients[0], [1]);
  clients[0]?.listeners.get('rebalancing')?.({});
  await jest.advanceTimersByTimeAsync(22_000);
  expect(clients).toHaveLength(2);
  clients[1]?.join();
  await member.stop();
});

it('replaces a client that gives up, and dies when the next one soon gives up too', async () => {
  const member = group();
  member.start();
  await jest.advanceTimersByTimeAsync(100);
  clients[0]?.join();
  clients[0]?.fail('a flaw');
  await jest.advanceTimersByTimeAsync(100);
  expect(clients).toHaveLength(2);
  clients[1]?.join();
  await fetchingFor(61, clients[1], [1]);
  clients[1]?.fail('another flaw');
  await jest.advanceTimersByTimeAsync(100);
  clients[2]?.join();
  expect({ fatal, outage: member.outage }).toEqual({ fatal: [], outage: undefined });
  clients[2]?.fail('the same flaw');
  expect(fatal).toEqual(['consumer group test.stuck died: the same flaw']);
  expect(member.outage).toBe('died: the same flaw');
  await member.stop();
});

it('lets no client come back that was replaced: it would keep partitions that nobody reads', async () => {
  const member = group();
  member.start();
  await jest.advanceTimersByTimeAsync(100);
  const [silent] = clients;
  expect(await silent?.restartsByItself()).toBe(true);
  await jest.advanceTimersByTimeAsync(22_000);
  clients[1]?.join();
  await fetchingFor(10, clients[1], [1]);
  expect(clients).toHaveLength(2);
  expect(await silent?.restartsByItself()).toBe(false);
  await member.stop();
});

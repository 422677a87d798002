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

/** A client that connects and runs, and joins its group only when it is told. */
class SilentClient {
  readonly listeners = new Map<string, (event: unknown) => void>();
  readonly events = { GROUP_JOIN: 'join', REBALANCING: 'rebalancing', CRASH: 'crash' };
  isDisconnected = false;
  on = (event: string, listener: (event: unknown) => void): void => void this.listeners.set(event, listener);
  connect = (): Promise<void> => Promise.resolve();
  subscribe = (): Promise<void> => Promise.resolve();
  run = (): Promise<void> => Promise.resolve();
  resume = (): void => {};
  pause = (): void => {};
  disconnect = (): Promise<void> => {
    this.isDisconnected = true;
    return Promise.resolve();
  };
  join(): void {
    this.listeners.get('join')?.({ payload: { memberAssignment: { 'payment.commands.v1': [0] } } });
  }
}

let clients: SilentClient[] = [];
const group = (): ConsumerGroup =>
  new ConsumerGroup({
    kafka: {
      consumer: () => {
        const client = new SilentClient();
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
    onFatal: () => {},
  });

beforeEach(() => {
  clients = [];
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

it('leaves a client alone that has joined', async () => {
  const member = group();
  member.start();
  await jest.advanceTimersByTimeAsync(100);
  clients[0]?.join();
  await jest.advanceTimersByTimeAsync(120_000);
  expect(clients).toHaveLength(1);
  await member.stop();
});

it('replaces a client that is lost in a rebalance', async () => {
  const member = group();
  member.start();
  await jest.advanceTimersByTimeAsync(100);
  clients[0]?.join();
  await jest.advanceTimersByTimeAsync(60_000);
  clients[0]?.listeners.get('rebalancing')?.({});
  await jest.advanceTimersByTimeAsync(22_000);
  expect(clients).toHaveLength(2);
  await member.stop();
});

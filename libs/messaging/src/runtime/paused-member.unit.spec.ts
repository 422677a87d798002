import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CapturePayment } from '@millrace/contracts';
import { createLogger, Metrics } from '@millrace/observability';
import { scraped } from '../fixtures/series.ts';
import type { Consumer, Kafka } from '../kafka/client.ts';
import { ConsumerGroup } from './consumer-group.ts';
import type { GroupContext } from './settlement.ts';
import type { Worker, WorkerEvents } from './worker.ts';

const GROUP = 'test.paused';

describe('a member whose worker has an outage', () => {
  const listeners = new Map<string, (event: unknown) => void>();
  let paused: Set<number>;
  let events: WorkerEvents;
  let outage: string | undefined;
  let metrics: Metrics;
  let member: ConsumerGroup;

  const each = (topics: readonly { partitions?: number[] }[], what: (partition: number) => void): void => {
    for (const { partitions = [] } of topics) partitions.forEach(what);
  };
  const join = (partitions: readonly number[]): void =>
    listeners.get('join')?.({ payload: { memberAssignment: { 'payment.commands.v1': partitions } } });
  const change = (to: string | undefined): void => {
    outage = to;
    events.outageChanged();
  };

  beforeEach(() => {
    paused = new Set();
    outage = undefined;
    metrics = new Metrics();
    const client = {
      events: { GROUP_JOIN: 'join', REBALANCING: 'rebalancing', CRASH: 'crash', FETCH_START: 'fetch-start' },
      on: (event: string, listener: (event: unknown) => void) => void listeners.set(event, listener),
      connect: () => Promise.resolve(),
      subscribe: () => Promise.resolve(),
      run: () => Promise.resolve(),
      pause: (topics: readonly { partitions?: number[] }[]) => each(topics, (partition) => paused.add(partition)),
      resume: (topics: readonly { partitions?: number[] }[]) => each(topics, (partition) => paused.delete(partition)),
      disconnect: () => Promise.resolve(),
    };
    const worker: Worker = {
      accept: () => {},
      forget: () => {},
      stop: () => Promise.resolve(),
      get outage() {
        return outage;
      },
    };
    member = new ConsumerGroup({
      kafka: { consumer: () => client as unknown as Consumer } as unknown as Kafka,
      context: {
        group: GROUP,
        logger: createLogger({ service: 'test', level: 'silent' }),
        metrics,
      } as GroupContext,
      topicPrefix: '',
      hears: [CapturePayment],
      worker: (given) => {
        events = given;
        return worker;
      },
      onFatal: () => {},
    });
    member.start();
  });
  afterEach(async () => {
    await member.stop();
  });

  it('fetches nothing from that moment on and everything when it is over, as a member all the time', async () => {
    await new Promise((resolve) => setImmediate(resolve));
    join([0, 1, 2]);
    change('the provider: 503');
    expect([...paused]).toEqual([0, 1, 2]);
    expect(member.outage).toBe('waiting for the provider: 503');
    expect(await scraped(metrics, 'messaging_paused_partitions', { group: GROUP, reason: 'outage' })).toBe(3);
    change('the provider: timeout');
    expect([...paused]).toEqual([0, 1, 2]);
    change(undefined);
    expect([...paused]).toEqual([]);
    expect(member.outage).toBeUndefined();
    expect(await scraped(metrics, 'messaging_paused_partitions')).toBe(0);
    expect(await scraped(metrics, 'messaging_rebalances_total')).toBe(0);
  });

  it('fetches nothing of what it is assigned meanwhile', async () => {
    await new Promise((resolve) => setImmediate(resolve));
    join([0, 1]);
    change('the database: refused');
    join([1, 4]);
    expect(paused.has(1) && paused.has(4)).toBe(true);
    change(undefined);
    expect(paused.has(1) || paused.has(4)).toBe(false);
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@millrace/observability';
import type { Consumer } from '../kafka/client.ts';
import { FetchGate } from './fetch-gate.ts';
import { OffsetTracker, type Tracked } from './offset-tracker.ts';

type Named = readonly { readonly topic: string; readonly partitions?: number[] }[];

/** Remembers what is paused, as kafkajs does: also of partitions that it no longer has. */
class Client {
  readonly paused = new Set<string>();
  hasGroup = true;
  pause = (topics: Named): void => this.#each(topics, (name) => this.paused.add(name));
  resume = (topics: Named): void => this.#each(topics, (name) => this.paused.delete(name));
  #each(topics: Named, what: (name: string) => void): void {
    if (!this.hasGroup) throw new Error('Consumer group was not initialized, consumer#run must be called first');
    for (const { topic, partitions = [] } of topics) for (const partition of partitions) what(`${topic}/${partition}`);
  }
}

describe('what a member fetches', () => {
  let client: Client;
  let tracker: OffsetTracker;
  let gate: FetchGate;

  beforeEach(() => {
    client = new Client();
    tracker = new OffsetTracker();
    gate = new FetchGate({
      tracker,
      consumer: () => client as unknown as Consumer,
      logger: createLogger({ service: 'test', level: 'silent' }),
      topicPrefix: 'p.',
    });
    gate.assign([{ topic: 'p.t', partitions: [0, 1, 2] }]);
  });

  const receive = (partition: number, count: number, bytes = 1): readonly Tracked[] => {
    const value = Buffer.alloc(bytes);
    const received = Array.from({ length: count }, (_, index) =>
      tracker.track({ topic: 't', partition, offset: String(index), timestampMs: 0, key: null, value, headers: {} }),
    );
    gate.look();
    return received;
  };
  const settle = (records: readonly Tracked[]): void => {
    tracker.done(records);
    gate.look();
  };

  it('is all of its partitions while there is room', () => {
    receive(0, 1000);
    receive(1, 1000);
    expect([...client.paused]).toEqual([]);
  });

  it('is no more of a partition that fills half the memory, and all of the others', () => {
    receive(0, 2000);
    expect([...client.paused]).toEqual(['p.t/0']);
    expect(gate.paused('high-water')).toBe(1);
    receive(1, 500);
    expect([...client.paused]).toEqual(['p.t/0']);
  });

  it('counts bytes as it counts records', () => {
    receive(1, 20, 512 * 1024);
    expect([...client.paused]).toEqual(['p.t/1']);
  });

  it('is nothing when the memory is full, however little of it is whose', () => {
    receive(0, 5000);
    expect([...client.paused].toSorted()).toEqual(['p.t/0', 'p.t/1', 'p.t/2']);
  });

  it('is a full partition again when it holds half of what is left', () => {
    const received = receive(0, 2000);
    settle(received.slice(0, 600));
    expect([...client.paused]).toEqual(['p.t/0']);
    settle(received.slice(600, 700));
    expect([...client.paused]).toEqual([]);
  });

  it('is nothing while one reason holds, and only the full ones stay paused after the last', () => {
    receive(2, 3000);
    gate.hold('outage');
    gate.hold('stopping');
    expect(client.paused.size).toBe(3);
    gate.release('outage');
    expect(client.paused.size).toBe(3);
    expect([gate.paused('outage'), gate.paused('stopping'), gate.paused('high-water')]).toEqual([0, 3, 1]);
    gate.release('stopping');
    expect([...client.paused]).toEqual(['p.t/2']);
  });

  it('is nothing of what is newly assigned during an outage, and all of it afterwards', () => {
    gate.hold('outage');
    client.hasGroup = false;
    gate.release('outage');
    client.hasGroup = true;
    gate.assign([{ topic: 'p.t', partitions: [0, 1] }]);
    expect([...client.paused]).toEqual(['p.t/2']);
    gate.hold('outage');
    gate.assign([{ topic: 'p.t', partitions: [1, 3] }]);
    expect([...client.paused].toSorted()).toEqual(['p.t/0', 'p.t/1', 'p.t/2', 'p.t/3']);
    gate.release('outage');
    expect([...client.paused].toSorted()).toEqual(['p.t/0', 'p.t/2']);
  });
});

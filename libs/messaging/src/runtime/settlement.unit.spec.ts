import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CapturePayment, newId, type OrderId } from '@millrace/contracts';
import type { Database, Transaction } from '@millrace/database';
import { createLogger, Metrics } from '@millrace/observability';
import { recordFor } from '../fixtures/index.ts';
import { retryPolicy } from '../handlers/retry-policy.ts';
import type { Relay } from '../outbox/relay.ts';
import { OffsetTracker } from './offset-tracker.ts';
import { NOTHING_LEFT } from './settle-batch.ts';
import { type GroupContext, Settlement, Stopped } from './settlement.ts';

const coded = (code: string): Error => Object.assign(new Error(`failed with ${code}`), { code });
const away = coded('57P01');
const lostRace = coded('40P01');

describe('a settlement', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['performance'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** A database whose transactions fail with these, one after the other, before they work. */
  const settlementAfter = (
    failures: readonly Error[],
  ): { settlement: Settlement; transactions: () => number; letters: () => number } => {
    let transactions = 0;
    let letters = 0;
    const tx = {
      query: ({ name, values }: { name: string; values: readonly (readonly string[])[] }) => {
        if (name === 'messaging.outbox.insert') letters += 1;
        const ids = name === 'messaging.inbox.insert' ? (values[1] ?? []) : [];
        return Promise.resolve({ rows: ids.map((id) => ({ message_id: id })) });
      },
    } as unknown as Transaction;
    const database = {
      transaction: (work: (open: Transaction) => Promise<unknown>) => {
        const failure = failures[transactions++];
        return failure ? Promise.reject(failure) : work(tx);
      },
    } as unknown as Database;
    const context: GroupContext = {
      group: 'test.settlement',
      service: 'test',
      database,
      relay: { remember: () => {}, wake: () => {} } as unknown as Relay,
      logger: createLogger({ service: 'test', level: 'silent' }),
      metrics: new Metrics(),
    };
    return {
      settlement: new Settlement(context, { hears: [CapturePayment], retry: retryPolicy() }),
      transactions: () => transactions,
      letters: () => letters,
    };
  };
  const settle = (settlement: Settlement): Promise<void> => {
    const { key, value, headers } = recordFor(CapturePayment, { orderId: newId<OrderId>() });
    const tracked = new OffsetTracker().track({
      topic: CapturePayment.topic.name,
      partition: 0,
      offset: '0',
      timestampMs: 0,
      key: Buffer.from(String(key)),
      value: Buffer.from(String(value)),
      headers,
    });
    return settlement.settle([settlement.received(tracked.incoming)], () => Promise.resolve(NOTHING_LEFT));
  };

  it('waits for the database as long as it is away, tells so, and takes no lost race after it for a fault of the message', async () => {
    const failures = [...Array.from({ length: 30 }, () => away), lostRace];
    const { settlement, transactions, letters } = settlementAfter(failures);
    const settled = settle(settlement);
    await jest.advanceTimersByTimeAsync(1000);
    expect(settlement.outage).toContain('the database: failed with 57P01');
    await jest.advanceTimersByTimeAsync(200_000);
    await settled;
    expect(transactions()).toBe(failures.length + 1);
    expect(letters()).toBe(0);
    expect(settlement.outage).toBeUndefined();
  });

  it('tells of races that it keeps losing, not of everyday ones', async () => {
    const { settlement } = settlementAfter(Array.from({ length: 7 }, () => lostRace));
    const settled = settle(settlement);
    await jest.advanceTimersByTimeAsync(150);
    expect(settlement.outage).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1600);
    expect(settlement.outage).toContain('40P01');
    await jest.advanceTimersByTimeAsync(20_000);
    await settled;
    expect(settlement.outage).toBeUndefined();
  });

  it('gives nothing up when the service stops while the database is away', async () => {
    const { settlement } = settlementAfter(Array.from({ length: 100 }, () => away));
    const ended = settle(settlement).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(1000);
    settlement.stop();
    expect(await ended).toBeInstanceOf(Stopped);
  });
});

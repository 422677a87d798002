import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { OrderId } from '@millrace/contracts';
import { createLogger, Health, Metrics } from '@millrace/observability';
import { StatusStreams } from './status-streams.ts';
import { StatusWatcher } from './status-watcher.ts';

const placed = {
  orderId: '0198c0de-0000-7000-8000-000000000001' as OrderId,
  reason: null,
  changes: [{ status: 'placed', version: 1, at: '2026-01-01T00:00:00.000Z' }] as const,
};

/** As much of a response as a stream uses. */
class Response extends EventEmitter {
  text = '';
  writableLength = 0;
  isEnded = false;
  writeHead(): void {}
  write(text: string): void {
    this.text += text;
  }
  end(): void {
    this.isEnded = true;
  }
  destroy(): void {
    this.emit('close');
  }
}

let response: Response;

beforeEach(() => {
  jest.useFakeTimers();
  const watcher = new StatusWatcher(async () => [], createLogger({ service: 'test', level: 'silent' }));
  response = new Response();
  new StatusStreams(watcher, new Health(), new Metrics(), 1).open(response as unknown as ServerResponse, {}, placed, 0);
});

afterEach(() => {
  jest.useRealTimers();
});

describe('an open stream', () => {
  it('is kept alive by a comment every 15 s', async () => {
    const before = response.text;
    await jest.advanceTimersByTimeAsync(45_000);
    expect(response.text.slice(before.length)).toBe(': the order has not changed\n\n'.repeat(3));
  });

  it('is cut when its reader lets events pile up', async () => {
    response.writableLength = 100_000;
    await jest.advanceTimersByTimeAsync(15_000);
    expect(response.isEnded).toBe(true);
  });

  it('leaves no timer behind when its reader hangs up', () => {
    const timers = jest.getTimerCount();
    response.emit('close');
    const heartbeatAndWatcher = 2;
    expect(jest.getTimerCount()).toBe(timers - heartbeatAndWatcher);
  });
});

import { describe, expect, it, jest } from '@jest/globals';
import { Health } from './health.ts';

describe('readiness', () => {
  it('holds when every check finds nothing', async () => {
    const health = new Health();
    health.addReadinessCheck('database', () => undefined);
    health.addReadinessCheck('kafka', () => Promise.resolve(undefined));
    expect(await health.ready()).toEqual({ ready: true, checks: { database: 'ok', kafka: 'ok' } });
  });

  it('gives the reason of each check that found one or threw', async () => {
    const health = new Health();
    health.addReadinessCheck('database', () => 'connection refused');
    health.addReadinessCheck('kafka', () => Promise.reject(new Error('no brokers')));
    health.addReadinessCheck('relay', () => undefined);
    expect(await health.ready()).toEqual({
      ready: false,
      checks: { database: 'connection refused', kafka: 'no brokers', relay: 'ok' },
    });
  });

  it('does not wait for a check that hangs', async () => {
    jest.useFakeTimers();
    const health = new Health();
    health.addReadinessCheck('kafka', () => new Promise<undefined>(() => {}));
    const answer = health.ready();
    await jest.advanceTimersByTimeAsync(2_000);
    jest.useRealTimers();
    expect(await answer).toEqual({ ready: false, checks: { kafka: 'no answer within 2000 ms' } });
  });

  it('ends for good when the process starts to drain', async () => {
    const health = new Health();
    expect((await health.ready()).ready).toBe(true);
    health.startDraining();
    expect(health.draining.aborted).toBe(true);
    expect(await health.ready()).toEqual({ ready: false, checks: { shutdown: 'the process is stopping' } });
  });

  it('refuses a second check of one name', () => {
    const health = new Health();
    health.addReadinessCheck('kafka', () => undefined);
    expect(() => health.addReadinessCheck('kafka', () => undefined)).toThrow('named kafka');
  });
});

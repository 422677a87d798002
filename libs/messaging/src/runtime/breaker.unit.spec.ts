import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Breaker } from './breaker.ts';

describe('a breaker', () => {
  const changes: (string | undefined)[] = [];
  let breaker: Breaker;

  beforeEach(() => {
    jest.useFakeTimers();
    changes.length = 0;
    breaker = new Breaker(() => changes.push(breaker.outage));
  });
  afterEach(() => {
    breaker.stop(new Error('over'));
    jest.useRealTimers();
  });

  const open = (): void => {
    for (let failure = 1; failure <= 3; failure++) breaker.failed('nobody there');
  };
  /** Who was let through, in order. */
  const waiting = (count: number): number[] => {
    const passed: number[] = [];
    for (let caller = 0; caller < count; caller++)
      breaker.pass().then(
        () => passed.push(caller),
        () => undefined,
      );
    return passed;
  };

  it('stays closed while somebody gets through between failures', async () => {
    for (let round = 0; round < 10; round++) {
      breaker.failed('nobody there');
      breaker.failed('nobody there');
      breaker.answered();
    }
    await breaker.pass();
    expect(changes).toEqual([]);
  });

  it('opens when several calls in a row find nobody, tells why, and lets nobody through', async () => {
    open();
    const passed = waiting(3);
    await jest.advanceTimersByTimeAsync(50);
    expect(passed).toEqual([]);
    expect(changes).toEqual(['nobody there']);
  });

  it('lets one probe through after a pause, and the others when that was answered', async () => {
    open();
    const passed = waiting(3);
    await jest.advanceTimersByTimeAsync(300);
    expect(passed).toEqual([0]);
    expect(breaker.outage).toBe('nobody there');
    breaker.answered();
    await jest.advanceTimersByTimeAsync(0);
    expect(passed).toEqual([0, 1, 2]);
    expect(changes).toEqual(['nobody there', undefined]);
  });

  it('waits longer after each probe in vain, and another one is the next probe', async () => {
    open();
    const passed = waiting(40);
    for (let probe = 1; probe <= 30; probe++) {
      await jest.advanceTimersByTimeAsync(5000);
      expect(passed).toHaveLength(probe);
      breaker.failed('still nobody');
    }
    expect(passed.slice(0, 3)).toEqual([0, 1, 2]);
    await jest.advanceTimersByTimeAsync(2400);
    expect(passed).toHaveLength(30);
    expect(changes).toEqual(['nobody there']);
  });

  it('tells of no outage while a probe is only waited for, or nothing would be fetched that could be one', async () => {
    open();
    await jest.advanceTimersByTimeAsync(300);
    expect(breaker.outage).toBeUndefined();
    const passed = waiting(2);
    await jest.advanceTimersByTimeAsync(0);
    expect(passed).toEqual([0]);
    breaker.failed('nobody there');
    expect(breaker.outage).toBe('nobody there');
  });

  it('lets those go who wait for what is no longer theirs', async () => {
    open();
    const gone = breaker.pass();
    breaker.drop(new Error('assigned anew'));
    await expect(gone).rejects.toThrow('assigned anew');
  });
});

import { describe, expect, it } from '@jest/globals';
import { PermanentFailure, TransientFailure, Unavailable } from '../handlers/failures.ts';
import { retryDelayMs, retryPolicy } from '../handlers/retry-policy.ts';
import { fateOf } from './fate.ts';

const policy = retryPolicy({ attempts: 3, firstDelayMs: 100, maxDelayMs: 1000 });
const almostAll = (): number => 0.999;
const half = (): number => 0.5;

describe('a message that failed', () => {
  it('is dead-lettered at once when trying again cannot help, however often it may be tried', () => {
    expect(fateOf(new PermanentFailure('no-such-card', 'no'), 0, policy)).toEqual({ kind: 'dead-letter', attempts: 1 });
    expect(fateOf(new PermanentFailure('no-such-card', 'no'), 1, policy)).toEqual({ kind: 'dead-letter', attempts: 2 });
  });

  it('is parked with a counted attempt by anything else', () => {
    for (const error of [new Error('a bug'), new TransientFailure('not now'), 'no error at all']) {
      expect(fateOf(error, 0, policy, half)).toEqual({ kind: 'park', attempts: 1, delayMs: 50, isHeld: false });
      expect(fateOf(error, 1, policy, half)).toEqual({ kind: 'park', attempts: 2, delayMs: 100, isHeld: false });
    }
  });

  it('leaves the way to the next after its last try, or is held for a person, as the handler says', () => {
    expect(fateOf(new Error('a bug'), 2, policy)).toEqual({ kind: 'dead-letter', attempts: 3 });
    expect(fateOf(new Error('a bug'), 2, { ...policy, then: 'hold' })).toEqual({
      kind: 'park',
      attempts: 3,
      delayMs: 0,
      isHeld: true,
    });
    // A person let it be tried once more.
    expect(fateOf(new Error('a bug'), 3, { ...policy, then: 'hold' })).toMatchObject({ attempts: 4, isHeld: true });
  });

  it('is tried again when the failure says, where it says so', () => {
    const failure = new TransientFailure('come back tomorrow', { retryAfterMs: 86_400_000 });
    expect(fateOf(failure, 0, policy)).toMatchObject({ delayMs: 86_400_000 });
  });

  it('has no attempt counted against it when nobody was there, as often as that may be', () => {
    for (const before of [0, 2, 50]) {
      expect(fateOf(new Unavailable('away'), before, policy)).toMatchObject({
        kind: 'park',
        attempts: before,
        isHeld: false,
      });
    }
  });
});

describe('the pauses between tries', () => {
  it('double up to the longest one, and never grow beyond it', () => {
    const pauses = [1, 2, 3, 4, 5, 6, 100, 5000].map((attempts) => retryDelayMs(policy, attempts, almostAll));
    expect(pauses).toEqual([100, 200, 400, 799, 999, 999, 999, 999]);
  });

  it('are anything between nothing and that, so that what failed together does not come back together', () => {
    expect(retryDelayMs(policy, 3, () => 0)).toBe(0);
    expect(retryDelayMs(policy, 3, half)).toBe(200);
    const drawn = new Set(Array.from({ length: 100 }, () => retryDelayMs(policy, 4)));
    expect(drawn.size).toBeGreaterThan(50);
  });
});

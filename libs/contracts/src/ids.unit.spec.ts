import { describe, expect, it } from '@jest/globals';
import { MessageId, newId } from './ids.ts';

// More than one portion of randomness, and many in one millisecond.
const MANY = 20_000;

describe('a new id', () => {
  it('is a UUID of version 7 that tells its time', () => {
    const before = Date.now();
    const id = newId();
    expect(MessageId.safeParse(id).success).toBe(true);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const toldMs = Number.parseInt(id.replace('-', '').slice(0, 12), 16);
    expect(toldMs).toBeGreaterThanOrEqual(before);
    expect(toldMs).toBeLessThanOrEqual(Date.now() + 1);
  });

  it('sorts after all ids that were made before it', () => {
    const ids = Array.from({ length: MANY }, () => newId());
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(MANY);
  });

  it('shares its random part with no other', () => {
    const randomParts = Array.from({ length: MANY }, () => newId().slice(-12));
    expect(new Set(randomParts).size).toBe(MANY);
  });
});

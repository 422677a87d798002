import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KeyedQueue } from './keyed-queue.ts';

describe('a queue by key', () => {
  it('gives out one item of a key at a time, in its order, and lets no key wait for another', () => {
    const queue = new KeyedQueue<string>();
    for (const item of ['a1', 'a2', 'b1']) queue.push(item.charAt(0), item);
    expect(queue.take(10)).toEqual(['a1', 'b1']);
    expect(queue.take(10)).toEqual([]);
    queue.push('c', 'c1');
    queue.release('a');
    expect(queue.take(10)).toEqual(['c1', 'a2']);
  });

  it('gives out at once what waits of a key that is out, and one at a time what comes later', () => {
    const queue = new KeyedQueue<string>();
    for (const item of ['a1', 'a2', 'b1', 'a3']) queue.push(item.charAt(0), item);
    expect(queue.take(1)).toEqual(['a1']);
    expect(queue.takeRest('a')).toEqual(['a2', 'a3']);
    expect(queue.takeRest('a')).toEqual([]);
    queue.push('a', 'a4');
    expect(queue.take(10)).toEqual(['b1']);
    queue.release('a');
    expect(queue.take(10)).toEqual(['a4']);
  });

  it('gives out no more than asked for, the key that waits longest first', () => {
    const queue = new KeyedQueue<string>();
    for (const item of ['a1', 'b1', 'c1']) queue.push(item.charAt(0), item);
    expect(queue.take(2)).toEqual(['a1', 'b1']);
    queue.push('a', 'a2');
    queue.release('a');
    expect(queue.take(1)).toEqual(['c1']);
    expect(queue.take(1)).toEqual(['a2']);
  });

  it('keeps a key out when what waits is dropped: what comes again waits for what is under way', () => {
    const queue = new KeyedQueue<string>();
    queue.push('a', 'a1');
    queue.push('a', 'a2');
    expect(queue.take(1)).toEqual(['a1']);
    queue.clear();
    queue.push('a', 'a1 again');
    expect(queue.take(1)).toEqual([]);
    queue.release('a');
    expect(queue.take(1)).toEqual(['a1 again']);
  });

  it('gives out everything once and in order per key, whatever the order of pushing, taking and releasing', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), key: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ kind: fc.constant('take' as const), limit: fc.nat(3) }),
      fc.record({ kind: fc.constant('release' as const), key: fc.constantFrom('a', 'b', 'c') }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new KeyedQueue<{ key: string; number: number }>();
        const [pushed, taken, out] = [new Map<string, number>(), new Map<string, number>(), new Set<string>()];
        const take = (limit: number): number => {
          const items = queue.take(limit);
          for (const { key, number } of items) {
            expect(out.has(key)).toBe(false);
            expect(number).toBe((taken.get(key) ?? 0) + 1);
            taken.set(key, number);
            out.add(key);
          }
          return items.length;
        };
        const release = (key: string): void => {
          if (out.delete(key)) queue.release(key);
        };
        for (const { kind, ...facts } of steps) {
          if (kind === 'push' && 'key' in facts) {
            pushed.set(facts.key, (pushed.get(facts.key) ?? 0) + 1);
            queue.push(facts.key, { key: facts.key, number: pushed.get(facts.key) ?? 0 });
          } else if (kind === 'release' && 'key' in facts) release(facts.key);
          else if ('limit' in facts) take(facts.limit);
        }
        do for (const key of [...out]) release(key);
        while (take(10) > 0);
        expect(taken).toEqual(pushed);
      }),
    );
  });
});

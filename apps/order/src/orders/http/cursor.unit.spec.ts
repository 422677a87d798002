import { describe, expect, it } from '@jest/globals';
import { decodeCursor, encodeCursor } from './cursor.ts';

const list = 'orders of customer-1';
const cursor = encodeCursor(list, '0198c0de-0000-7000-8000-000000000001');

describe('a cursor', () => {
  it('leads back to the sort key it was made of', () => {
    expect(decodeCursor(list, cursor)).toBe('0198c0de-0000-7000-8000-000000000001');
  });

  it('needs no escaping in a URL', () => {
    expect(encodeURIComponent(cursor)).toBe(cursor);
  });

  it('is refused when any of its characters is changed', () => {
    for (const index of cursor.split('').keys()) {
      const other = cursor[index] === 'A' ? 'B' : 'A';
      expect(decodeCursor(list, cursor.slice(0, index) + other + cursor.slice(index + 1))).toBeUndefined();
    }
  });

  it.each(['', 'AAAA', '!', cursor.slice(0, -1), `${cursor}=`, `${cursor} `])('is refused as %p', (tampered) => {
    expect(decodeCursor(list, tampered)).toBeUndefined();
  });

  it('is refused in another list', () => {
    expect(decodeCursor('orders of customer-2', cursor)).toBeUndefined();
  });
});

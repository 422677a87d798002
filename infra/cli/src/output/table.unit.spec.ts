import { describe, expect, it } from '@jest/globals';
import { cut, plain, tableOf } from './table.ts';

describe('a table', () => {
  it('has numbers on the right and no blanks at the end of a line', () => {
    const lines = tableOf(
      [{ title: 'group' }, { title: 'lag', isNumber: true }, { title: 'note' }],
      [
        ['order.checkout', 7, ''],
        ['a', 12_345, 'x'],
      ],
      100,
    );
    expect(lines).toEqual(['group             lag  note', 'order.checkout      7', 'a               12345  x']);
  });

  it('cuts what may be cut, the widest first, until it fits', () => {
    const [head, row] = tableOf(
      [{ title: 'letter' }, { title: 'key', isCut: true }, { title: 'error', isCut: true }],
      [['order.checkout/0/17', 'k'.repeat(36), 'e'.repeat(200)]],
      100,
    );
    expect(head?.length).toBeLessThanOrEqual(100);
    expect(row).toBe(`order.checkout/0/17  ${'k'.repeat(36)}  ${'e'.repeat(40)}…`);
  });

  it('is rather too wide than unreadable', () => {
    const [, row] = tableOf([{ title: 'a', isCut: true }, { title: 'b' }], [['x'.repeat(50), 'y'.repeat(100)]], 100);
    expect(row).toBe(`${'x'.repeat(11)}…  ${'y'.repeat(100)}`);
  });

  it('lets nothing from a topic write on the terminal as it likes', () => {
    const [, row] = tableOf([{ title: 'error' }], [['one\ntwo\u001B[2Jthree\u202Efour']], 100);
    expect(row).toBe('one two [2Jthree four');
    expect(plain('a\r\n\tb')).toBe('a b');
  });

  it('shows that something was cut', () => {
    expect([cut('abcdef', 6), cut('abcdefg', 6)]).toEqual(['abcdef', 'abcde…']);
  });
});

import { describe, expect, it } from '@jest/globals';
import { moneyText } from './money-text.ts';

describe('an amount in a mail', () => {
  it.each([
    [123_450, 'EUR', '€1,234.50'],
    [5, 'EUR', '€0.05'],
    [0, 'USD', '$0.00'],
    [1_234, 'JPY', '¥1,234'],
    [1_234, 'KWD', 'KWD 1.234'],
    [Number.MAX_SAFE_INTEGER, 'EUR', '€90,071,992,547,409.91'],
  ])('%i minor units of %s are %s', (amountMinor, currency, text) => {
    expect(moneyText({ amountMinor, currency }).replaceAll('\u{a0}', ' ')).toBe(text);
  });
});

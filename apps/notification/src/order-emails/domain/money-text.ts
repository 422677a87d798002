import type { Money } from '@millrace/contracts';

const formats = new Map<string, Intl.NumberFormat>();

/** An amount as a customer reads it, exact to the last digit: `€1,234.50`, `¥1,235`. */
export function moneyText({ amountMinor, currency }: Money): string {
  let format = formats.get(currency);
  if (format === undefined) {
    format = new Intl.NumberFormat('en', { style: 'currency', currency });
    formats.set(currency, format);
  }
  const digits = format.resolvedOptions().maximumFractionDigits ?? 0;
  const minor = String(amountMinor).padStart(digits + 1, '0');
  const major = minor.slice(0, minor.length - digits);
  // As text, not as a quotient: a float would round large amounts.
  return format.format(`${major}.${minor.slice(major.length)}` as Intl.StringNumericLiteral);
}

import { InvalidArgumentError } from 'commander';

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A moment, as ISO 8601 text or as an age: `2026-11-23T09:00`, `90s`, `15m`, `2h`, `7d`. */
export function parseTime(text: string): Date {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) {
    return new Date(Date.now() - Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS]);
  }
  const date = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(date.getTime())) {
    throw new InvalidArgumentError('Expected a time such as 2026-11-23T09:00, or an age such as 15m, 2h or 7d.');
  }
  return date;
}

/** So many per second: `5/s`, `300/m`. */
export function parseRate(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\/([sm])$/.exec(text) ?? [];
  const perSecond = Number(count) / (unit === 'm' ? 60 : 1);
  if (!(perSecond > 0)) throw new InvalidArgumentError('Expected a rate such as 5/s or 30/m.');
  return perSecond;
}

/** A whole number from 1 on. */
export function parseCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('Expected a whole number, 1 or more.');
  }
  return value;
}

/** A text that says something: what is written down must. */
export function parseReason(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Expected why, in words that others will understand.');
  return text.trim();
}

/** How long ago, in the largest unit that fits: `42s`, `15m`, `3h`, `12d`. */
export function ageOf(time: Date, now: Date): string {
  return durationOf(Math.max(0, now.getTime() - time.getTime()) / 1000);
}

/** So many seconds as people say it. */
export function durationOf(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole}s`;
  if (whole < 7200) return `${Math.floor(whole / 60)}m`;
  if (whole < 2 * 86_400) return `${Math.floor(whole / 3600)}h`;
  return `${Math.floor(whole / 86_400)}d`;
}

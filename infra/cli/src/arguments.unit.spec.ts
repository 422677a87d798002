import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'commander';
import { ageOf, durationOf, parseCount, parseRate, parseReason, parseTime } from './arguments.ts';

describe('a time on the command line', () => {
  it.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
  ])('%s is an age', (text, ms) => {
    expect(Math.abs(Date.now() - ms - parseTime(text).getTime())).toBeLessThan(5_000);
  });

  it('is a moment in ISO 8601', () => {
    expect(parseTime('2026-11-23T09:00:00Z').toISOString()).toBe('2026-11-23T09:00:00.000Z');
  });

  it.each(['', 'yesterday', '5', '5w', '-5m', '12', '2026'])('is not "%s"', (text) => {
    expect(() => parseTime(text)).toThrow(InvalidArgumentError);
  });
});

describe('a rate on the command line', () => {
  it.each([
    ['5/s', 5],
    ['0.5/s', 0.5],
    ['30/m', 0.5],
  ])('%s is %d a second', (text, perSecond) => {
    expect(parseRate(text)).toBe(perSecond);
  });

  it.each(['', '5', '0/s', '-1/s', '5/h', 'fast'])('is not "%s"', (text) => {
    expect(() => parseRate(text)).toThrow('Expected a rate such as 5/s or 30/m.');
  });
});

describe('a count on the command line', () => {
  it('is a whole number from 1 on', () => {
    expect(parseCount('12')).toBe(12);
  });

  it.each(['0', '-3', '1.5', '1e3', 'all', ''])('is not "%s"', (text) => {
    expect(() => parseCount(text)).toThrow('Expected a whole number');
  });
});

describe('a reason on the command line', () => {
  it('says something', () => {
    expect(parseReason(' ticket 311 ')).toBe('ticket 311');
    expect(() => parseReason('  ')).toThrow('Expected why');
  });
});

describe('a duration on the screen', () => {
  it.each([
    [0, '0s'],
    [119.4, '119s'],
    [120, '2m'],
    [7_199, '119m'],
    [7_200, '2h'],
    [172_799, '47h'],
    [172_800, '2d'],
  ])('%d s is %s', (seconds, text) => {
    expect(durationOf(seconds)).toBe(text);
  });

  it('is an age, never a negative one', () => {
    expect(ageOf(new Date(10_000), new Date(70_000))).toBe('60s');
    expect(ageOf(new Date(70_000), new Date(10_000))).toBe('0s');
  });
});

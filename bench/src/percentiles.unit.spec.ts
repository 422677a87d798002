import { expect, it } from '@jest/globals';
import { percentilesOf } from './percentiles.ts';

it('ranks durations by the nearest rank', () => {
  const durations = Array.from({ length: 200 }, (_, index) => 200 - index);
  expect(percentilesOf(durations)).toEqual({ p50: 100, p99: 198, max: 200, count: 200 });
});

it('ranks a single duration as all percentiles', () => {
  expect(percentilesOf([7])).toEqual({ p50: 7, p99: 7, max: 7, count: 1 });
});

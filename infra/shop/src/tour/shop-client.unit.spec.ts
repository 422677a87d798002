import { describe, expect, it } from '@jest/globals';
import { sampledTraceOf } from './shop-client.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('the trace of an answer', () => {
  it('is known when it is recorded', () => {
    expect(sampledTraceOf(`00-${TRACE}-00f067aa0ba902b7-01`)).toBe(TRACE);
    expect(sampledTraceOf(`00-${TRACE}-00f067aa0ba902b7-03`)).toBe(TRACE);
  });

  it.each([`00-${TRACE}-00f067aa0ba902b7-00`, `00-${TRACE}`, '', null])(
    'is not looked for when it says %s',
    (header) => {
      expect(sampledTraceOf(header)).toBeUndefined();
    },
  );
});

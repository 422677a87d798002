import { describe, expect, it } from '@jest/globals';
import { Misuse, parseOptions } from './options.ts';

describe('the options of the benchmark', () => {
  it('measure everything but the growth to a million orders for a minute each, unless told', () => {
    expect(parseOptions([])).toMatchObject({
      phases: ['saturation', 'open-loop', 'recovery', 'backlog', 'replay', 'counts', 'scaling'],
      seconds: 60,
      rounds: 2,
      outageSeconds: 30,
      growthOrders: [10_000, 100_000, 1_000_000],
      publishes: false,
    });
  });

  it('take phases by name, in the order in which they are named', () => {
    expect(parseOptions(['--only', 'growth,replay'])?.phases).toEqual(['growth', 'replay']);
  });

  it('are small when it has to be quick, except for what is said', () => {
    expect(parseOptions(['--quick', '--rate', '300'])).toMatchObject({
      seconds: 10,
      rounds: 1,
      rate: 300,
      isQuick: true,
    });
  });

  it.each([
    [['--only', 'speed'], '--only takes saturation, open-loop'],
    [['--seconds', '0'], '--seconds takes whole numbers of at least 1, not 0'],
    [['--orders', '10,many'], '--orders takes whole numbers of at least 1, not many'],
    [['--fast'], "Unknown option '--fast'"],
  ])('refuse %j', (args, why) => {
    expect(() => parseOptions(args)).toThrow(Misuse);
    expect(() => parseOptions(args)).toThrow(why);
  });

  it('are none when the help is asked for', () => {
    expect(parseOptions(['--help'])).toBeUndefined();
  });
});

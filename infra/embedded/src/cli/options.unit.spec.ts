import { describe, expect, it } from '@jest/globals';
import { UsageError } from '@millrace/shop';
import { fixedPorts } from '../shop/ports.ts';
import { helpText, parseOptions } from './options.ts';

describe('the options of the demo', () => {
  it('take the documented ports unless told otherwise', () => {
    expect(parseOptions([], '/')).toMatchObject({ once: false, keep: false, ports: fixedPorts, logLevel: 'info' });
  });

  it('move one port, or all', () => {
    expect(parseOptions(['--port', '9000'], '/')?.ports).toEqual({ ...fixedPorts, order: 9000 });
    const moved = parseOptions(['--ports-from', '9100', '--kafka-port', '9092'], '/')?.ports;
    expect(moved).toMatchObject({ order: 9100, kafka: 9092, postgres: 9108 });
  });

  it('read a seed from where the user is', () => {
    expect(parseOptions(['--seed', 'mine.json'], '/shop')?.seed).toBe('/shop/mine.json');
  });

  it('lead to the help text, which names every one of them', () => {
    expect(parseOptions(['--help'], '/')).toBeUndefined();
    for (const name of ['once', 'keep', 'seed', 'dir', 'log-level', 'ports-from', 'port', 'kafka-port', 'mail-port']) {
      expect(helpText).toContain(`--${name} `);
    }
  });

  it.each([
    [['--keepp'], "Unknown option '--keepp'"],
    [['tour'], "Unexpected argument 'tour'"],
    [['--seed'], 'argument missing'],
    [['--port', '80x'], '--port 80x: expected a port'],
    [['--ports-from', '65530'], 'expected a port, 1 to 65535'],
    [['--port', '8081'], 'Port 8081 is given to both'],
    [['--log-level', 'loud'], '--log-level loud: expected one of trace'],
  ])('refuse %j', (args, message) => {
    expect(() => parseOptions(args, '/')).toThrow(UsageError);
    expect(() => parseOptions(args, '/')).toThrow(message);
  });
});

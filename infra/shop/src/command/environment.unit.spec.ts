import { describe, expect, it } from '@jest/globals';
import { describeVariables, readNumber, readVariables, UsageError } from './environment.ts';

const variables = { ORDER_URL: 'the order API', KAFKA_BROKERS: 'at least one broker' };

describe('the environment of a command', () => {
  it('is read by name, an address without its last slash', () => {
    const env = { ORDER_URL: 'http://127.0.0.1:8080/', KAFKA_BROKERS: 'kafka:9092', HOME: '/' };
    expect(readVariables(env, variables)).toEqual({ ORDER_URL: 'http://127.0.0.1:8080', KAFKA_BROKERS: 'kafka:9092' });
  });

  it('is refused with everything that is missing or wrong, and no value', () => {
    const read = () => readVariables({ ORDER_URL: 'secret', KAFKA_BROKERS: '' }, variables);
    expect(read).toThrow(UsageError);
    expect(read).toThrow('ORDER_URL is no URL: the order API\n  KAFKA_BROKERS is not set: at least one broker');
    expect(read).not.toThrow('secret');
  });

  it('is described for the help text', () => {
    expect(describeVariables(variables)).toBe('  ORDER_URL      the order API\n  KAFKA_BROKERS  at least one broker');
  });

  it.each(['', ' ', 'fast', '-1', '101', 'NaN'])('takes no "%s" for a number from 0 to 100', (text) => {
    expect(() => readNumber('--rate', text, 0, 100)).toThrow(`--rate ${text}: expected a number from 0 to 100.`);
  });

  it('takes numbers within their limits', () => {
    expect(['0', '2.5', '100'].map((text) => readNumber('--rate', text, 0, 100))).toEqual([0, 2.5, 100]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { CommandFailed, explain, Misuse } from './errors.ts';

const failure = (name: string, message: string, code?: string): Error =>
  Object.assign(new Error(message), { name, code });

describe('an error', () => {
  it.each([
    [
      failure('KafkaJSConnectionError', 'connect ECONNREFUSED 127.0.0.1:1'),
      /^Kafka does not answer: .*\n.*the demo in x/,
    ],
    [failure('KafkaJSNumberOfRetriesExceeded', 'Connection error'), /^Kafka does not answer/],
    [failure('error', 'password authentication failed', '28P01'), /^PostgreSQL refuses the role/],
    [failure('error', 'relation "messaging.parked_key" does not exist', '42P01'), /older than this tool[^]*migrations/],
    [failure('Error', 'connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED'), /^A database does not answer/],
    [
      new AggregateError([failure('Error', 'connect ECONNREFUSED ::1:1', 'ECONNREFUSED')]),
      /^A database does not .*::1:1/,
    ],
  ])('%s tells what to do', (error, expected) => {
    expect(explain(error, 'the demo in x')).toMatch(expected);
  });

  it('of the tool itself says it all', () => {
    expect(explain(new Misuse('Which letters?'), 'x')).toBe('Which letters?');
    expect(explain(new CommandFailed('There is none.'), 'x')).toBe('There is none.');
    expect(explain('odd', 'x')).toBe('odd');
  });
});

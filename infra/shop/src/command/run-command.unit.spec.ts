import { describe, expect, it } from '@jest/globals';
import { UsageError } from './environment.ts';
import { type Command, parseCommandLine } from './run-command.ts';

const command: Command = {
  help: '',
  options: { once: { type: 'boolean' }, every: { type: 'string' } },
  run: () => Promise.resolve(0),
};

describe('a command line', () => {
  it('has the options that the command knows, and help', () => {
    expect(parseCommandLine(command, ['--once', '--every', '5']).values).toEqual({ once: true, every: '5' });
    expect(parseCommandLine(command, ['--help']).values).toEqual({ help: true });
  });

  it.each([
    [['--onec'], "Unknown option '--onec'"],
    [['databases'], "Unexpected argument 'databases'"],
    [['--every'], 'argument missing'],
  ])('is refused when it is %j', (args, message) => {
    expect(() => parseCommandLine(command, args)).toThrow(UsageError);
    expect(() => parseCommandLine(command, args)).toThrow(message);
  });

  it('has words where the command takes some', () => {
    expect(parseCommandLine({ ...command, allowPositionals: true }, ['topics']).positionals).toEqual(['topics']);
  });
});

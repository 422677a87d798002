import { describe, expect, it } from '@jest/globals';
import type { Act } from './command.ts';
import { programOf, withSubcommands } from './program.ts';

const act: Act = () => () => Promise.resolve();
const text: string[] = [];
const sink = { write: (written: string) => text.push(written) };
const program = programOf(act, sink, sink);

describe('the program', () => {
  const commands = withSubcommands(program).map((command) => [pathOf(command), command] as const);

  it('has the commands that people look for', () => {
    expect(commands.map(([path]) => path)).toEqual(
      expect.arrayContaining([
        'millrace dlq list',
        'millrace dlq show',
        'millrace dlq redrive',
        'millrace dlq discard',
        'millrace parked list',
        'millrace parked show',
        'millrace parked retry',
        'millrace parked skip',
        'millrace topics',
        'millrace topics grow',
        'millrace lag',
        'millrace replay',
      ]),
    );
  });

  it.each(commands)('%s explains itself within 100 columns, with an example of its own', (path, command) => {
    text.length = 0;
    command.outputHelp();
    const help = text.join('');
    expect(command.description()).not.toBe('');
    for (const option of command.options) expect(option.description).not.toBe('');
    expect(Math.max(...help.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(110);
    expect(help).toContain(path === 'millrace' ? 'Exit codes: 0 done' : `\n  ${path}`);
    expect(help).toContain('--json');
  });
});

function pathOf(command: ReturnType<typeof programOf>): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

import type { Command } from 'commander';
import type { Output } from './output/output.ts';
import type { Shop } from './shop.ts';

/** What a command works with. */
export interface CommandContext {
  readonly shop: Shop;
  readonly out: Output;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly stop: AbortSignal;
  /** Who does it, for the record: `--by`, else user@host. */
  readonly by: string;
  /** Asks a person; true where `--yes` was given. @throws {Misuse} it was not, and nobody is there to be asked. */
  readonly confirm: (question: string) => Promise<boolean>;
}

/** Exit code of a command that did what it was asked for; 1 where it could not do all of it. */
export type ExitCode = 0 | 1;

/** A command's work: gets its arguments in order, then its options, as commander read them. */
export type Work<Args extends unknown[]> = (context: CommandContext, ...args: Args) => Promise<ExitCode>;

export interface ActOptions {
  /** It looks at `stop` and comes to a good end by itself; anything else is broken off where it is. */
  readonly endsItself?: boolean;
}

/**
 * Makes the action of a command: finds the shop, does the work, closes what was opened, and turns the outcome into an exit code. Every
 * file of commands takes one and answers its commands: `replayCommand(act)`; `program.ts` puts them together.
 */
export type Act = <Args extends unknown[]>(
  work: Work<Args>,
  options?: ActOptions,
) => (...args: [...Args, Command]) => Promise<void>;

/** The end of a help text: how it looks in practice. */
export function examples(...lines: readonly string[]): string {
  return `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.map((line) => `  ${line}`).join('\n')}\n`;
}

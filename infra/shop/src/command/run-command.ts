import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { brokenOff, stopOnSignals } from '@millrace/cli/signals';
import { UsageError } from './environment.ts';

export interface CommandLine {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

export interface Command {
  readonly help: string;
  /** Besides `--help`. */
  readonly options?: ParseArgsOptionsConfig;
  readonly allowPositionals?: boolean;
  /**
   * Does the work and resolves with the exit code. An error once `stop` is aborted means that it was stopped.
   */
  run(line: CommandLine, stop: AbortSignal): Promise<number>;
  /** Takes the time that it needs once it is stopped; anything else is broken off where it is. */
  readonly endsItself?: boolean;
}

/**
 * Runs this process as a command: 0 done, 1 failed, 2 cannot be done as asked for, 128 + signal when it was stopped. The
 * message of an error goes to standard error.
 */
export async function runCommand(command: Command): Promise<void> {
  const stopping = stopOnSignals();
  // Whoever read the output has gone (`tour | head`).
  process.stdout.on('error', () => {});
  try {
    const line = parseCommandLine(command, process.argv.slice(2));
    if (line.values['help'] === true) {
      process.stdout.write(command.help);
      process.exit(0);
    }
    const work = command.run(line, stopping.signal);
    process.exit(await (command.endsItself === true ? work : Promise.race([work, brokenOff(stopping.signal)])));
  } catch (error) {
    if (stopping.exitCode !== undefined) process.exit(stopping.exitCode);
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof UsageError) process.stderr.write('--help tells what can be asked for.\n');
    process.exit(error instanceof UsageError ? 2 : 1);
  }
}

/** Reads a command line. @throws {UsageError} */
export function parseCommandLine(command: Command, args: readonly string[]): CommandLine {
  const { options = {}, allowPositionals = false } = command;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean' } },
      allowPositionals,
      strict: true,
    });
    return { values: values as CommandLine['values'], positionals };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

import { temporaryFolder } from '@millrace/embedded';
import { Misuse, type Options } from './options.ts';
import { type Bench, createBench } from './phases/phase.ts';
import { WrongBooks } from './systems/system.ts';

/** What a command was asked to do. */
export interface Task {
  readonly options: Options;
  /** Answers what the process ends with. */
  readonly work: (bench: Bench) => Promise<number>;
}

/**
 * Runs a command that measures, and answers what its process ends with: 2 for what it does not understand, 1 when it fails or the books do
 * not add up. `taskOf` reads the command line: undefined asks for the help. Ctrl-C stops all that was started and ends the process.
 */
export async function runBench(help: string, taskOf: () => Task | undefined): Promise<number> {
  try {
    const task = taskOf();
    if (task !== undefined) return await run(task);
    say(help);
    return 0;
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    say(`${error.message}\n\n${help}`);
    return 2;
  }
}

async function run({ options, work }: Task): Promise<number> {
  const folder = temporaryFolder('millrace-bench');
  const interrupted = new AbortController();
  const { bench, stopAll } = createBench(folder.path, { options, say, stop: interrupted.signal });
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      say('\nStopping what was started …');
      interrupted.abort(new Error('interrupted'));
      void stopAll()
        .then(() => folder.remove())
        .finally(() => process.exit(code));
    });
  }
  try {
    return await work(bench);
  } catch (error) {
    // The services' ends are reported before the signal's handler has ended this process.
    if (interrupted.signal.aborted) return await new Promise<never>(() => {});
    say(error instanceof WrongBooks ? error.message : `It failed: ${stackOf(error)}`);
    return 1;
  } finally {
    if (!interrupted.signal.aborted) await folder.remove();
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

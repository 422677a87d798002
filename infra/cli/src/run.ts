import { hostname, userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { type Command, CommanderError } from 'commander';
import type { Act, ActOptions, CommandContext, Work } from './command.ts';
import { explain, Misuse } from './errors.ts';
import { Output, type Sink } from './output/output.ts';
import { type GlobalOptions, programOf } from './program.ts';
import { Shop, type ShopMap, type Surroundings } from './shop.ts';
import { brokenOff, stopOnSignals } from './signals.ts';

/** Finds the shop: `folder` is what `--shop` names, if it was given. @throws {Misuse} there is none, and how to name one. */
export type Located = (folder: string | undefined) => Surroundings;

/** What a command line is run in. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Ends the command. */
  readonly stop: AbortSignal;
}

const FAILED = 1;
const MISUSED = 2;

/**
 * Runs this process as the program and resolves with its exit code: 0 done, 1 failed, 2 cannot be done as asked for, 128 + signal when it
 * was stopped. The outcome goes to standard output, everything else to standard error.
 */
export async function runMillrace(args: readonly string[], map: ShopMap, locate: Located): Promise<number> {
  const stopping = stopOnSignals();
  // Whoever read the output has gone (`millrace dlq list | head`).
  process.stdout.on('error', () => {});
  const { stdin, stdout, stderr } = process;
  const code = await runCommandLine(args, map, locate, { stdin, stdout, stderr, stop: stopping.signal });
  return stopping.exitCode ?? code;
}

/** Runs one command line and resolves with its exit code. */
export async function runCommandLine(
  args: readonly string[],
  map: ShopMap,
  locate: Located,
  terminal: Terminal,
): Promise<number> {
  const { stop, stdout, stderr } = terminal;
  let exitCode: number = 0;
  let from = 'the environment';
  const act: Act =
    <Args extends unknown[]>(work: Work<Args>, { endsItself = false }: ActOptions = {}) =>
    async (...actionArgs: [...Args, Command]) => {
      const options = (actionArgs.at(-1) as Command).optsWithGlobals<GlobalOptions>();
      const surroundings = locate(options.shop);
      from = surroundings.from;
      const shop = new Shop(map, surroundings);
      try {
        const working = work(contextOf(shop, options, terminal), ...(actionArgs.slice(0, -1) as Args));
        exitCode = await (endsItself ? working : Promise.race([working, brokenOff(stop)]));
      } finally {
        // What was broken off may never give its session back.
        if (!stop.aborted) await shop.close();
      }
    };
  try {
    await programOf(act, stdout, stderr).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSED;
    if (!stop.aborted) stderr.write(`${explain(error, from)}\n`);
    return error instanceof Misuse ? MISUSED : FAILED;
  }
}

function contextOf(shop: Shop, options: GlobalOptions, { stop, stdin, stdout, stderr }: Terminal): CommandContext {
  const isColored = options.color !== false && stdout.isTTY === true && !process.env['NO_COLOR'];
  return {
    shop,
    out: new Output({ isJson: options.json === true, isColored, out: stdout, err: stderr }),
    stop,
    by: options.by ?? (process.env['MILLRACE_BY'] || `${userName()}@${hostname()}`),
    async confirm(question) {
      if (options.yes === true) return true;
      if (stdin.isTTY !== true || stderr.isTTY !== true) {
        throw new Misuse(`${question}\nNobody is here to be asked: add --yes to do it.`);
      }
      stderr.write(`${question} [y/N] `);
      return /^y(es)?$/i.test((await nextLine(stdin, stop)).trim());
    },
  };
}

/** The next line that somebody types; empty when they end the input instead. */
async function nextLine(input: NodeJS.ReadableStream, stop: AbortSignal): Promise<string> {
  const lines = createInterface({ input });
  const { promise, resolve } = Promise.withResolvers<string>();
  lines.once('line', resolve);
  lines.once('close', () => resolve(''));
  const close = (): void => lines.close();
  stop.addEventListener('abort', close, { once: true });
  try {
    return await promise;
  } finally {
    stop.removeEventListener('abort', close);
    lines.close();
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'somebody'); // in a container a user may have no name
  }
}

import { rmSync } from 'node:fs';
import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Screen, showBooks, showOutcome, showTour, SIGNALS, UsageError } from '@millrace/shop';
import { endAllChildren, type Exit } from '../child.ts';
import { startShop, type Shop } from '../shop.ts';
import { FolderInUse } from '../shop/folder-claim.ts';
import { PortsTaken } from '../shop/ports.ts';
import type { Replica } from '../shop/replica.ts';
import { helpText, parseOptions, portOption, type DemoOptions } from './options.ts';
import { showUrls } from './show-urls.ts';

// A start that is broken off has nothing to save; what does not end by then is ended with this process.
const BREAK_OFF_WITHIN_MS = 3_000;

const screen = Screen.ofThisProcess();
const cwd = process.env['INIT_CWD'] ?? process.cwd(); // pnpm runs scripts in the root, wherever it was called

const options = readOptions();
const logsDir = `${options.dir}.logs`;
let starting: Promise<Shop> | undefined;
let shop: Shop | undefined;
let exitCode: number | undefined;

for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) process.on(signal, () => onSignal(signal));
// Something that ended in the middle of a step may be missed by a connection that nobody waits for.
process.on('uncaughtException', (error) => void fail(messageOf(error)));
await run().catch((error: unknown) => fail(messageOf(error)));

function readOptions(): DemoOptions {
  try {
    const read = parseOptions(process.argv.slice(2), cwd);
    if (read !== undefined) return read;
    process.stdout.write(helpText);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nnpx -y pnpm@12 demo --help lists the options.\n`);
    process.exit(2);
  }
}

async function run(): Promise<void> {
  const { color } = screen;
  const { dir, keep, once, seed, ports, logLevel } = options;
  const startedAt = performance.now();
  screen.line(color.bold('Millrace: starting a shop with a database, a broker and six services'));
  starting = startShop({
    dir,
    isTemporary: !keep,
    ports,
    logsDir,
    logLevel,
    ...(seed === undefined ? {} : { seed }),
    onStep,
    log: (line) => screen.line(`     ${line}`),
    onServiceExit,
    onServerExit: (server, lastLines) => void fail(`${server} ended. Its last words:\n${lastLines}`),
  });
  shop = await starting;
  screen.line(`  ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  const { failures, product } = await showTour(shop.urls, screen);
  const failed = failures + (await showBooks(shop, screen));
  showOutcome(failed, screen, `The logs are in ${fromHere(logsDir)}.`);
  if (once) return end(failed === 0 ? 0 : 1);
  showUrls(shop, product, screen);
  const afterwards = keep
    ? `${fromHere(dir)} keeps the data`
    : `nothing of it is kept, unless you start it with --keep`;
  screen.line(`Logs: ${fromHere(logsDir)}. Ctrl-C stops everything; ${afterwards}.`);
  await new Promise(() => {}); // until a signal
}

function onStep(step: string, tookMs?: number): void {
  if (tookMs === undefined) return screen.doing(step);
  screen.done(step);
  screen.line(`  ${screen.color.green('✔')} ${step} ${screen.color.dim(`${(tookMs / 1000).toFixed(1)} s`)}`);
}

/** A service that was killed comes back, as under any supervisor; one that ends by itself shows what is wrong with it. */
function onServiceExit(replica: Replica, { code, signal }: Exit, lastLines: string): void {
  if (exitCode !== undefined) return;
  const { service, logFile } = replica;
  if (signal !== null && shop !== undefined && !options.once) {
    screen.line(`     ${screen.color.yellow(`The ${service} service ended with ${signal} and is started again.`)}`);
    void replica.start().catch((error: unknown) => fail(messageOf(error)));
    return;
  }
  void fail(
    `The ${service} service ended with ${signal ?? `exit code ${code}`}. The end of ${fromHere(logFile)}:\n${lastLines}`,
  );
}

function onSignal(signal: keyof typeof SIGNALS): void {
  // Ctrl-C reaches this process twice: from the terminal, and passed on by the one that started it.
  if (exitCode === SIGNALS[signal]) return;
  screen.close('Stopping.');
  void end(SIGNALS[signal]);
}

/** Says what went wrong, and ends. */
async function fail(message: string): Promise<void> {
  if (exitCode !== undefined) return;
  screen.close(`${screen.color.red('✘')} ${message}`);
  await end(1);
}

/** Ends everything in good order if there is time, and then this process. */
async function end(code: number): Promise<void> {
  if (exitCode !== undefined) return;
  exitCode = code;
  if (shop === undefined) {
    await endAllChildren();
    const broken = starting?.catch(() => {});
    await Promise.race([broken, sleep(BREAK_OFF_WITHIN_MS)]);
  } else {
    await shop.stop();
  }
  if (code !== 1 && !options.keep) rmSync(logsDir, { recursive: true, force: true });
  process.exit(code);
}

function messageOf(error: unknown): string {
  if (error instanceof PortsTaken) {
    const lines = error.taken.map(
      ({ user, port }) =>
        `Port ${port}, wanted for ${user}, is in use. Stop its user, or choose another: --${portOption(user)} N.`,
    );
    return [...lines, '--ports-from N takes all ports from N on.'].join('\n  ');
  }
  if (error instanceof FolderInUse) {
    return (
      `Another demo is running: process ${error.pid} works in ${fromHere(error.dir)}. Stop it (Ctrl-C in its terminal),\n` +
      '  or start this one beside it: --dir FOLDER --ports-from N.'
    );
  }
  return error instanceof Error ? error.message : String(error);
}

function fromHere(path: string): string {
  return relative(cwd, path) || '.';
}

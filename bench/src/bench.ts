import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type EnvironmentOf, type Shop, startShop, temporaryFolder } from '@millrace/embedded';
import { createKafka } from '@millrace/messaging/kafka';
import { createLogger } from '@millrace/observability';
import { checkBooks, type ServiceName, waitForEnd } from '@millrace/shop';
import { OrderObserver } from './order-observer.ts';
import { OrderPlacer } from './order-placer.ts';
import { percentilesOf, round } from './percentiles.ts';
import { idlePhase, saturatedPhase } from './phases.ts';
import { type Usage, usageOf } from './process-usage.ts';

const HELP = `Measures the embedded shop: everything on this machine, this load generator included.

  pnpm bench [options]

  --seconds N      length of the saturated phase (default 30); warm-up and idle phase are a third of it, at least 3 s
  --customers N    customers in the closed loop, each with one order under way (default 600)
  --json FILE      also write the results as JSON
  --profile DIR    also write a V8 CPU profile of each service, to be opened in a browser's developer tools
  --help           this text`;

// Ordered in turn, so that no single row of stock is everybody's.
const SKUS = ['MUG-BLUE', 'MUG-WHITE', 'TEA-GREEN-100', 'TEA-BLACK-100'];

const options = parsed();
const folder = temporaryFolder('millrace-bench');
let shop: Shop | undefined;
const stop = async (): Promise<void> => {
  await shop?.stop();
  await folder.remove();
};
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => void stop().finally(() => process.exit(code)));
}
try {
  process.exitCode = (await run()) ? 0 : 1;
} catch (error) {
  say(`The benchmark failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.exitCode = 1;
} finally {
  await stop();
}

async function run(): Promise<boolean> {
  say('Starting the shop …');
  shop = await startShop({
    dir: join(folder.path, 'shop'),
    logLevel: 'warn',
    env: environment(),
    log: say,
  });
  const logger = createLogger({ service: 'bench', level: 'silent' });
  const observer = new OrderObserver(createKafka({ brokers: shop.brokers, clientId: 'bench', logger }));
  await observer.start();
  const placer = new OrderPlacer(shop.urls.order, SKUS, options.customers);
  const short = Math.max(3, options.seconds / 3);
  const memoryIdle = usages(shop);

  say(`Warming up for ${round(short)} s …`);
  await saturatedPhase(placer, observer, options.customers, short, () => {});
  // The mails of the warm-up are still on their way: idle means that nothing is.
  await waitForEnd(shop);
  say(`One order at a time for ${round(short)} s …`);
  const idle = await idlePhase(placer, observer, short);
  say(`${options.customers} customers for ${options.seconds} s …`);
  const before = usages(shop);
  const loaded = await saturatedPhase(placer, observer, options.customers, options.seconds, (perSecond) =>
    say(`  ${perSecond} orders/s`),
  );
  const after = usages(shop);

  say('Checking the books …');
  await waitForEnd(shop);
  const books = await checkBooks(shop);
  placer.close();
  await observer.stop();

  const result = {
    date: new Date().toISOString(),
    machine: {
      cores: cpus().length,
      cpu: cpus()[0]?.model.trim(),
      memoryGiB: round(totalmem() / 2 ** 30),
      node: process.version,
    },
    seconds: round(loaded.seconds),
    customers: options.customers,
    ordersPerSecond: round(loaded.completed / loaded.seconds),
    confirmedMs: { idle: percentilesOf(idle.confirmedMs), loaded: percentilesOf(loaded.confirmedMs) },
    cpuMsPerOrder: perOrder(before, after, loaded.completed),
    memoryMiB: { idle: memoryOf(memoryIdle), loaded: memoryOf(after) },
    booksBalance: books.balance,
  };
  report(result);
  if (!books.balance) {
    say('The books do not balance, so the figures mean nothing:');
    for (const { rule, findings } of books.verdicts.filter(({ holds }) => !holds))
      say(`  ${rule}: ${findings.join('; ')}`);
  }
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
    say(`Results written to ${options.json}`);
  }
  return books.balance;
}

/** A carrier in a hurry: the benchmark measures the shop, not the drive. */
function environment(): EnvironmentOf {
  const profiled = (name: ServiceName): Record<string, string> =>
    options.profile === undefined
      ? {}
      : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${resolve(options.profile)} --cpu-prof-name=${name}.cpuprofile` };
  return {
    order: profiled('order'),
    inventory: profiled('inventory'),
    payment: profiled('payment'),
    shipping: { ...profiled('shipping'), CARRIER_DISPATCH_AFTER_MS: '0', CARRIER_DELIVER_AFTER_MS: '0' },
    notification: profiled('notification'),
    analytics: profiled('analytics'),
  };
}

function usages(running: Shop): ReadonlyMap<string, Usage | undefined> {
  const services = Object.entries(running.services).flatMap(([name, replicas]) =>
    replicas.map((replica) => [name, usageOf(replica.pid ?? 0)] as const),
  );
  return new Map([
    ...services,
    ['kafka', usageOf(running.kafka.nodes[0]?.pid ?? 0)],
    ['postgres', usageOf(running.postgres.pid)],
    ['loadGenerator', ownUsage()],
  ]);
}

/** Of this process alone: the shop's processes are its children and counted by themselves. */
function ownUsage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, memoryMiB: process.memoryUsage.rss() / 2 ** 20 };
}

function perOrder(
  before: ReadonlyMap<string, Usage | undefined>,
  after: ReadonlyMap<string, Usage | undefined>,
  orders: number,
): Record<string, number> {
  const split = [...after].map(
    ([name, usage]) => [name, ((usage?.cpuMs ?? Number.NaN) - (before.get(name)?.cpuMs ?? 0)) / orders] as const,
  );
  const total = split.reduce((sum, [, ms]) => sum + ms, 0);
  return Object.fromEntries([...split, ['total', total] as const].map(([name, ms]) => [name, round(ms)]));
}

function memoryOf(measured: ReadonlyMap<string, Usage | undefined>): Record<string, number> {
  const split = [...measured].map(([name, usage]) => [name, usage?.memoryMiB ?? Number.NaN] as const);
  const total = split.filter(([name]) => name !== 'loadGenerator').reduce((sum, [, mib]) => sum + mib, 0);
  return Object.fromEntries([...split, ['total', total] as const].map(([name, mib]) => [name, Math.round(mib)]));
}

function report(result: {
  ordersPerSecond: number;
  confirmedMs: { idle: object; loaded: object };
  cpuMsPerOrder: object;
  memoryMiB: { idle: object; loaded: object };
  booksBalance: boolean;
}): void {
  const line = (values: object): string =>
    Object.entries(values)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  say('');
  say(`Orders completed per second   ${result.ordersPerSecond}`);
  say(`Accepted → confirmed, idle    ${line(result.confirmedMs.idle)} (ms)`);
  say(`Accepted → confirmed, loaded  ${line(result.confirmedMs.loaded)} (ms)`);
  say(`CPU per order                 ${line(result.cpuMsPerOrder)} (ms)`);
  say(`Memory at start               ${line(result.memoryMiB.idle)} (MiB)`);
  say(`Memory after the load         ${line(result.memoryMiB.loaded)} (MiB)`);
  say(`Books balance                 ${result.booksBalance ? 'yes' : 'NO'}`);
}

function parsed(): { seconds: number; customers: number; json: string | undefined; profile: string | undefined } {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string' },
        customers: { type: 'string' },
        json: { type: 'string' },
        profile: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    if (values.help) {
      say(HELP);
      process.exit(0);
    }
    return {
      seconds: positive('--seconds', values.seconds ?? '30'),
      customers: positive('--customers', values.customers ?? '600'),
      json: values.json,
      profile: values.profile,
    };
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} takes a whole number of at least 1, not ${text}`);
  return value;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '@millrace/shop';
import { stateFolder } from '../data-folder.ts';
import { fixedPorts, portUsers, type PortUser, type ShopPorts } from '../shop/ports.ts';

export interface DemoOptions {
  readonly once: boolean;
  readonly keep: boolean;
  readonly dir: string;
  readonly seed: string | undefined;
  readonly ports: ShopPorts;
  readonly logLevel: string;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const DEFAULT_DIR = join(stateFolder, 'demo');

const MEANINGS: Readonly<Record<PortUser, string>> = {
  order: 'the order API',
  payment: 'the payment service',
  inventory: 'the inventory service, with its stock and product admin',
  shipping: 'the shipping service',
  notification: 'the notification service',
  analytics: 'the analytics service',
  mail: 'the page that shows the mails',
  kafka: 'Apache Kafka',
  postgres: 'PostgreSQL',
};

/** How the port of somebody is chosen on the command line. */
export function portOption(user: PortUser): string {
  return user === 'order' ? 'port' : `${user}-port`;
}

export const helpText = `The whole shop on this machine: PostgreSQL, Apache Kafka and six services, and a tour through it.

Usage: npx -y pnpm@12 demo [options]

  --once             stop after the tour; exit 0 only if every check held, else 1
  --keep             keep the data at the end; the next start goes on with it
  --seed FILE        the catalog to begin with, JSON as in apps/inventory/seed/catalog.json
  --dir FOLDER       where the data is while the demo runs (.millrace/demo)
  --log-level LEVEL  of the services, into <dir>.logs: ${LOG_LEVELS.join(', ')} (info)
  --ports-from N     all ports from N on, in the order of the list below
${portUsers.map((user) => `  ${`--${portOption(user)} N`.padEnd(18)} ${MEANINGS[user]} (${fixedPorts[user]})`).join('\n')}
  --help             this text

Needs Java 17 or newer and, the first time, Maven. Ctrl-C stops everything, at any moment.
`;

/** Reads the command line; undefined when help was asked for. Relative files are relative to `cwd`. @throws {UsageError} */
export function parseOptions(args: readonly string[], cwd: string): DemoOptions | undefined {
  const values = parse(args);
  if (values['help'] === true) return undefined;
  const text = (name: string) => (typeof values[name] === 'string' ? values[name] : undefined);
  const logLevel = text('log-level') ?? 'info';
  if (!LOG_LEVELS.includes(logLevel)) {
    throw new UsageError(`--log-level ${logLevel}: expected one of ${LOG_LEVELS.join(', ')}.`);
  }
  const seed = text('seed');
  return {
    once: values['once'] === true,
    keep: values['keep'] === true,
    dir: text('dir') === undefined ? DEFAULT_DIR : resolve(cwd, text('dir') ?? ''),
    seed: seed === undefined ? undefined : resolve(cwd, seed),
    ports: portsOf(text),
    logLevel,
  };
}

function parse(args: readonly string[]): Record<string, string | boolean | undefined> {
  const flags = ['once', 'keep', 'help'].map((name) => [name, { type: 'boolean' }] as const);
  const names = ['seed', 'dir', 'log-level', 'ports-from', ...portUsers.map(portOption)];
  const texts = names.map((name) => [name, { type: 'string' }] as const);
  try {
    const { values } = parseArgs({ args: [...args], options: Object.fromEntries([...flags, ...texts]), strict: true });
    return values as Record<string, string | boolean | undefined>;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function portsOf(text: (name: string) => string | undefined): ShopPorts {
  const from = text('ports-from');
  const first = from === undefined ? undefined : portNumber('ports-from', from);
  const entries = portUsers.map((user, index): [PortUser, number] => {
    const own = text(portOption(user));
    if (own !== undefined) return [user, portNumber(portOption(user), own)];
    return [user, first === undefined ? fixedPorts[user] : portNumber('ports-from', String(first + index))];
  });
  for (const [user, port] of entries) {
    const other = entries.find(([one, itsPort]) => one !== user && itsPort === port);
    if (other)
      throw new UsageError(
        `Port ${port} is given to both ${user} and ${other[0]}: change --${portOption(user)} or --${portOption(other[0])}.`,
      );
  }
  return Object.fromEntries(entries) as unknown as ShopPorts;
}

function portNumber(option: string, text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new UsageError(`--${option} ${text}: expected a port, 1 to 65535.`);
  return port;
}

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  catalogArrived,
  prepareDatabases,
  prepareTopics,
  services,
  writeShopFile,
  type DatabaseUrls,
  type RunningShop,
  type ServiceName,
} from '@millrace/shop';
import { unlessAllEnded, whenOrphaned, type Exit } from './child.ts';
import { startKafka, type KafkaCluster } from './kafka.ts';
import { startMailSink, type MailSink } from './mail-sink.ts';
import { startPostgres, type PostgresServer } from './postgres.ts';
import { startService } from './processes.ts';
import { claimFolder } from './shop/folder-claim.ts';
import { fixedPorts, freePorts, otherFreePort, requireFreePorts, type ShopPorts } from './shop/ports.ts';
import { createReplica, type Replica } from './shop/replica.ts';
import { environmentOf, type Surroundings } from './shop/service-environment.ts';
import { serviceEntry, serviceFolder } from './shop/services.ts';

/** Variables per service, on top of what the starter sets: failpoints, deadlines, delays of the carrier. */
export type EnvironmentOf = Partial<Record<ServiceName, Readonly<Record<string, string>>>>;

export interface ShopOptions {
  /** The data folder: created when missing, kept when stopped, used by one shop at a time. What it holds is gone on with. */
  readonly dir: string;
  /** `fixed` takes the ports that the documentation names; `free`, unless told, any. Replicas after the first take free ones. */
  readonly ports?: 'fixed' | 'free' | ShopPorts;
  /** Runs the broker with the JMX exporter agent, see `KafkaNode.metricsUrl`. */
  readonly brokerMetrics?: boolean;
  /** How many processes of a service; 1 each unless told. */
  readonly replicas?: Partial<Record<ServiceName, number>>;
  /** The catalog to list, a JSON file; the inventory service's own unless told. Products that are listed stay as they are. */
  readonly seed?: string;
  readonly env?: EnvironmentOf;
  readonly logLevel?: string;
  /** Where the services write their logs, emptied at the start; `logs` in the data folder unless told. */
  readonly logsDir?: string;
  /** Deletes the data folder when the shop is stopped, and when this process ends in any other way. */
  readonly isTemporary?: boolean;
  /** Hears of each part of the start twice: when it begins, and when it has ended, with the time that it took. */
  readonly onStep?: (step: string, tookMs?: number) => void;
  /** Hears what takes its time. */
  readonly log?: (line: string) => void;
  /** Hears of a service that ended although nobody asked it to. */
  readonly onServiceExit?: (replica: Replica, exit: Exit, lastLines: string) => void;
  /** Hears of a Kafka or PostgreSQL that ended although nobody asked it to. */
  readonly onServerExit?: (server: 'Kafka' | 'PostgreSQL', lastLines: string) => void;
}

/** The whole shop on this machine: PostgreSQL, Kafka, a mail server and six services, each a process of its own. */
export interface Shop extends RunningShop {
  readonly dir: string;
  readonly startedAt: Date;
  /** The address of each service's first replica is in `urls`. */
  readonly services: Readonly<Record<ServiceName, readonly Replica[]>>;
  readonly kafka: KafkaCluster;
  readonly postgres: PostgresServer;
  readonly mailSink: MailSink;
  /** The page that shows the mails. */
  readonly mailUrl: string;
  /** Resolves when every replica says that it is ready and the order API sells what the inventory service lists. */
  ready(): Promise<void>;
  /** Ends all in good order, services first; may be called twice. The data stays. */
  stop(): Promise<void>;
}

/**
 * Starts the shop and resolves when it is ready to take orders. All of it ends with this process, however that ends; the
 * caller stops it in good order with `stop`. Rejects, with nothing left running, when the folder is in use
 * (`FolderInUse`), ports are taken (`PortsTaken`), Java or Maven is missing, or anything dies at its start (with its last
 * log lines).
 */
export async function startShop(options: ShopOptions): Promise<Shop> {
  const dir = resolve(options.dir);
  const isNew = !existsSync(dir);
  const giveUpFolder = await claimFolder(dir);
  const cleanUp: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (let last = cleanUp.pop(); last !== undefined; last = cleanUp.pop()) await last();
  };
  try {
    // What an earlier shop has left is not lost because this one could not start.
    if (options.isTemporary && isNew) cleanUp.push(deleteAtTheEnd(dir));
    cleanUp.push(async () => giveUpFolder());
    const shop = await start(dir, options, cleanUp, stop);
    if (options.isTemporary && !isNew) cleanUp.unshift(deleteAtTheEnd(dir));
    return shop;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Deletes a folder when it is called, or when this process ends without having called it. */
function deleteAtTheEnd(dir: string): () => Promise<void> {
  // Under another name at once, so that the next shop finds its place free; a moment later, when no process writes any more.
  const forget = whenOrphaned('mv -- "$1" "$1.old" && sleep 1; rm -rf -- "$1.old"', [dir]);
  return async () => {
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    forget();
  };
}

async function start(
  dir: string,
  options: ShopOptions,
  cleanUp: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<Shop> {
  const startedAt = new Date();
  const { ports: wanted = 'free', logLevel = 'info', log = () => {}, onServerExit } = options;
  const ports = typeof wanted === 'object' ? wanted : wanted === 'fixed' ? fixedPorts : await freePorts();
  await requireFreePorts(ports);
  const logsDir = resolve(options.logsDir ?? join(dir, 'logs'));
  await rm(logsDir, { recursive: true, force: true });
  const timed = stopWatch(options.onStep);

  const mailSink = await startMailSink({ httpPort: ports.mail });
  cleanUp.push(() => mailSink.stop());

  async function startDatabases(): Promise<[PostgresServer, DatabaseUrls]> {
    const postgres = await timed('PostgreSQL', () =>
      startPostgres({
        dir: join(dir, 'postgres'),
        port: ports.postgres,
        log,
        onExit: (_, lastLines) => onServerExit?.('PostgreSQL', lastLines),
      }),
    );
    cleanUp.push(() => postgres.stop());
    return [
      postgres,
      await timed('databases and migrations', () => prepareDatabases(postgres.superuserUrl, passwordOf)),
    ];
  }

  async function startBroker(): Promise<KafkaCluster> {
    const kafka = await timed('Apache Kafka', () =>
      startKafka({
        dir: join(dir, 'kafka'),
        port: ports.kafka,
        metrics: options.brokerMetrics ?? false,
        log,
        onExit: (_nodeId, _exit, lastLines) => onServerExit?.('Kafka', lastLines),
      }),
    );
    cleanUp.push(() => kafka.stop());
    await timed('topics', () => prepareTopics(kafka.brokers));
    return kafka;
  }

  const [[postgres, urls], kafka] = await both(startDatabases(), startBroker());
  const surroundings = { databases: urls, brokers: kafka.brokers, smtpPort: mailSink.smtpPort, logLevel };
  const replicas = await createReplicas(options, ports, surroundings, logsDir);
  const all = Object.values(replicas).flat();
  cleanUp.push(async () => {
    await Promise.all(all.map((replica) => replica.stop()));
  });
  const addresses = Object.fromEntries(all.toReversed().map(({ service, url }) => [service, url])) as Shop['urls'];
  const ready = async () => {
    await Promise.all(all.map((replica) => replica.ready()));
    await catalogArrived(addresses);
  };
  const listed = timed('catalog', () => listCatalog(urls, logsDir, options.seed));
  const running = timed(`${all.length} services`, async () => {
    for (const replica of all) await replica.start();
    await Promise.all(all.map((replica) => replica.ready()));
  });
  await both(listed, running);
  await timed('prices known to the order service', () => catalogArrived(addresses));
  // Last to appear and first to go: whoever finds it finds the shop open.
  const forget = writeShopFile(dir, { pid: process.pid, brokers: kafka.brokers, databases: urls, urls: addresses });
  cleanUp.push(async () => forget());
  return {
    dir,
    startedAt,
    urls: addresses,
    services: replicas,
    databases: urls,
    brokers: kafka.brokers,
    kafka,
    postgres,
    mailSink,
    mailbox: { arrivals: () => Promise.resolve({ since: startedAt, byMessageId: mailSink.arrivals() }) },
    mailUrl: `http://127.0.0.1:${mailSink.httpPort}`,
    ready,
    stop,
  };
}

async function createReplicas(
  { replicas = {}, env = {}, onServiceExit }: ShopOptions,
  ports: ShopPorts,
  surroundings: Surroundings,
  logsDir: string,
): Promise<Record<ServiceName, Replica[]>> {
  const givenAway = new Set(Object.values(ports));
  const result: Partial<Record<ServiceName, Replica[]>> = {};
  for (const service of services) {
    const list: Replica[] = [];
    for (let number = 1; number <= (replicas[service] ?? 1); number++) {
      const replica: Replica = createReplica({
        service,
        number,
        port: number === 1 ? ports[service] : await otherFreePort(givenAway),
        env: { ...environmentOf(service, surroundings), ...env[service] },
        logFile: join(logsDir, number === 1 ? `${service}.log` : `${service}-${number}.log`),
        onExit: (exit, lastLines) => onServiceExit?.(replica, exit, lastLines),
      });
      list.push(replica);
    }
    result[service] = list;
  }
  return result as Record<ServiceName, Replica[]>;
}

// The server listens on 127.0.0.1 only and holds nothing but the data of demos and tests.
const passwordOf = (database: string): string => database;

/** Runs the inventory service's `seed` command, as an operator would. */
async function listCatalog(databases: DatabaseUrls, logsDir: string, seed: string | undefined): Promise<void> {
  const nothing = { databases, brokers: ['127.0.0.1:1'], smtpPort: 0, logLevel: 'info' }; // it speaks to the database only
  const command = await startService({
    name: 'the seed command',
    cwd: serviceFolder('inventory'),
    args: [serviceEntry('inventory', 'seed'), ...(seed === undefined ? [] : [resolve(seed)])],
    env: { ...environmentOf('inventory', nothing), LOG_PRETTY: 'true' },
    logFile: join(logsDir, 'seed.log'),
  });
  const { code } = await command.exited;
  if (code !== 0) throw new Error(`The catalog could not be listed.\n${command.lastLines()}`);
}

/** Like Promise.all, but rejects only when both have ended, so that nothing starts while what was started is being stopped. */
async function both<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
}

function stopWatch(onStep: ShopOptions['onStep']) {
  return async <T>(step: string, work: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    onStep?.(step);
    // A client would try for long to reach a server that was ended on purpose.
    const result = await unlessAllEnded(work());
    onStep?.(step, Math.round(performance.now() - startedAt));
    return result;
  };
}

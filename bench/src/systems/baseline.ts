import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BaselineDatabase,
  baselineDatabases,
  baselineFolder,
  type BaselineService,
  baselineServices,
  baselineTopics,
} from '@millrace/baseline';
import { migrateDeploy } from '@millrace/database/migrate';
import {
  freePort,
  type MailSink,
  type ServiceHandle,
  startKafka,
  startMailSink,
  startPostgres,
  startService,
  waitUntilReady,
} from '@millrace/embedded';
import { MESSAGE_RETENTION_MS } from '@millrace/contracts';
import { createKafka, ensureTopics } from '@millrace/messaging/kafka';
import { createLogger } from '@millrace/observability';
import { createServiceDatabases } from '@millrace/shop';
import { asked } from '../measure/asked.ts';
import { type BaselineRecords, baselineBooks, baselineUnrest } from './baseline-books.ts';
import type { Milestone, OrderEvents, System, SystemOptions } from './system.ts';

const milestones: Readonly<Record<string, Milestone>> = {
  'order-confirmed': 'confirmed',
  'order-completed': 'shipped',
  'notification-sent': 'told',
  'order-cancelled': 'cancelled',
};

const events: OrderEvents = { topics: Object.keys(milestones), milestoneOf: (topic) => milestones[topic] };

// As the shop of this repository has them.
const PARTITIONS = 6;
const KEPT = { policy: 'delete', retentionMs: MESSAGE_RETENTION_MS } as const;
const NODE_OPTIONS = ['--enable-source-maps', '--max-old-space-size=256', '--max-semi-space-size=32'];
const READY_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 100;

interface Product {
  readonly sku: string;
  readonly name: string;
  readonly price: { readonly amountMinor: number };
  readonly stock: number;
}

const catalog = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'catalog.json'), 'utf8'),
) as readonly Product[];

/** The same saga written the usual way, on the same PostgreSQL, the same Kafka and the same mail server. */
export async function startBaseline({ dir, say, env = () => ({}) }: SystemOptions): Promise<System> {
  const ends: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
  };
  try {
    const mailSink = await startMailSink();
    ends.push(() => mailSink.stop());
    const postgres = await startPostgres({ dir: join(dir, 'postgres'), log: say });
    ends.push(() => postgres.stop());
    const kafka = await startKafka({ dir: join(dir, 'kafka'), log: say });
    ends.push(() => kafka.stop());
    const [databases] = await Promise.all([prepareDatabases(postgres.superuserUrl), createTopics(kafka.brokers)]);

    const handles: ServiceHandle[] = [];
    ends.push(() => Promise.all(handles.map((handle) => handle.stop())));
    const urls = new Map<BaselineService, string>();
    for (const service of baselineServices) {
      const port = await freePort();
      urls.set(service, `http://127.0.0.1:${port}`);
      handles.push(
        await startService({
          name: service,
          cwd: baselineFolder,
          args: [...NODE_OPTIONS, join(baselineFolder, 'dist', service, 'main.js')],
          env: {
            NODE_ENV: 'production',
            DATABASE_URL: databases[service],
            KAFKA_BROKERS: kafka.brokers.join(','),
            HTTP_PORT: String(port),
            ...settingsOf(service, databases, mailSink),
            ...env(service),
          },
          logFile: join(dir, 'logs', `${service}.log`),
        }),
      );
    }
    await Promise.all(
      handles.map((handle) =>
        waitUntilReady(`${urls.get(handle.name as BaselineService)}/health/ready`, {
          timeoutMs: READY_WITHIN_MS,
          handle,
        }),
      ),
    );

    const records: BaselineRecords = { databases, mails: () => mailSink.arrivals() };
    return {
      name: 'baseline',
      dir,
      orderUrl: urls.get('order') ?? '',
      brokers: kafka.brokers,
      postgresUrl: postgres.superuserUrl,
      events,
      processes: () => [
        ...handles.map(({ name, pid }) => ({ name, pid })),
        { name: 'kafka', pid: kafka.nodes[0]?.pid ?? 0 },
        { name: 'postgres', pid: postgres.pid },
      ],
      async settled(timeoutMs = 120_000) {
        for (const end = performance.now() + timeoutMs; ; await sleep(LOOK_EVERY_MS)) {
          const unrest = await baselineUnrest(records);
          if (unrest === undefined) return;
          if (performance.now() > end) throw new Error(`The baseline is not quiet after ${timeoutMs} ms: ${unrest}.`);
        }
      },
      books: () => baselineBooks(records, new Map(catalog.map(({ sku, stock }) => [sku, stock]))),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function settingsOf(
  service: BaselineService,
  databases: Readonly<Record<BaselineDatabase, string>>,
  { smtpPort }: MailSink,
): Record<string, string> {
  if (service === 'payment') return { PAYMENT_PROVIDER_URL: databases.payment_provider };
  if (service === 'notification') return { SMTP_URL: `smtp://127.0.0.1:${smtpPort}` };
  return {};
}

async function prepareDatabases(superuserUrl: string): Promise<Record<BaselineDatabase, string>> {
  const urls = await createServiceDatabases(superuserUrl, baselineDatabases, (database) => database);
  const prisma = join(baselineFolder, 'prisma');
  for (const url of Object.values(urls)) {
    const migrations = join(prisma, 'migrations');
    await migrateDeploy({ url, schemaPath: join(prisma, 'schema.prisma'), migrationDirectories: [migrations] });
  }
  const rows = (row: (product: Product) => string): string => catalog.map((product) => `(${row(product)})`).join(', ');
  const products = rows(({ sku, name, price }) => `'${sku}', '${name}', ${price.amountMinor}`);
  const stock = rows(({ sku, stock: onHand }) => `'${sku}', ${onHand}`);
  await asked(urls.order, `INSERT INTO product (sku, name, price_minor) VALUES ${products} ON CONFLICT DO NOTHING`);
  await asked(urls.inventory, `INSERT INTO stock (sku, on_hand) VALUES ${stock} ON CONFLICT DO NOTHING`);
  return urls;
}

async function createTopics(brokers: readonly string[]): Promise<void> {
  const logger = createLogger({ service: 'bench', level: 'silent' });
  const wanted = baselineTopics.map((name) => ({ name, partitions: PARTITIONS, cleanup: KEPT, meaning: name }));
  await ensureTopics(createKafka({ brokers, clientId: 'bench', logger }), wanted, { replicationFactor: 1 });
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, type Shop } from '@millrace/embedded';
import { TestTopics, until } from '@millrace/messaging/testing';
import { services, waitForEnd } from '@millrace/shop';
import { type Exported, readExposition, unboundedLabels } from '../monitoring/exposition.ts';
import { allExpressions } from '../monitoring/monitoring-files.ts';
import { unknownNames } from '../monitoring/vocabulary.ts';
import { ShopCommand } from './command.ts';
import { place, placeMany } from './customers.ts';
import { mailpitOf } from './mailpit.ts';
import { shopUnderTest } from './shop-under-test.ts';

const TEST_TIMEOUT_MS = 300_000;
const gatewayProgram = join(import.meta.dirname, '..', '..', 'infra', 'gateway', 'dist', 'cli', 'gateway.js');

// The collector runs in Docker only: what it exports is asked of it by `pnpm test:compose`.
const COLLECTOR = 'otelcol_';

// It moves only when one of several replicas breaks off, which the gateway's own tests arrange.
const gatewayRetries: Exported = { name: 'gateway_retries_total', labels: new Set(['api']), seriesCount: 1 };

describe('the metrics of the shop', () => {
  let shop: Shop;
  let auditor: ShopCommand;
  let gateway: ChildProcess;
  let mailpit: { close(): void };
  /** What each process showed in the end, by name. */
  const shown = new Map<string, string>();

  const read = async (name: string, url: string): Promise<string> => {
    const text = await (await fetch(url)).text();
    shown.set(name, text);
    return text;
  };

  beforeAll(async () => {
    shop = await shopUnderTest({ brokerMetrics: true });
    const auditPort = await startAuditor();
    const gatewayPorts = await startGateway();
    await placeMany([shop.urls.order], 24);
    await place(shop.urls.order, { paymentToken: 'tok_error_then_success' });
    await fetch(`${shop.urls.order}/orders/stream-of-nobody`);
    await fetch(`http://127.0.0.1:${gatewayPorts.open}/products`);
    await fetch(`http://127.0.0.1:${gatewayPorts.dead}/products`);
    const topics = new TestTopics(shop.brokers.join(','), '');
    await topics.send([{ topic: 'payment.commands.v1', key: 'nobody', value: '{ "half": ', headers: {} }]);
    await topics.close();

    await waitForEnd(shop);
    await until(
      'the dead letter is counted',
      async () => /^messaging_dead_letters_total\{/m.test(await read('payment', `${shop.urls.payment}/metrics`)),
      { timeoutMs: 30_000 },
    );
    await until(
      'the books were looked at',
      async () => /^books_orders\{/m.test(await read('auditor', `http://127.0.0.1:${auditPort}/metrics`)),
      { timeoutMs: 60_000 },
    );
    for (const { metricsUrl } of shop.kafka.nodes) await read('broker', String(metricsUrl));
    await read('gateway', `http://127.0.0.1:${gatewayPorts.status}/metrics`);
    // A scrape leaves out what a database does not tell within a second. What stays unknown, the test about it names.
    await until(
      'nothing is left out',
      async () => {
        for (const service of services) await read(service, `${shop.urls[service]}/metrics`);
        return unknownOnes().length === 0;
      },
      { timeoutMs: 60_000 },
    ).catch(() => undefined);
  }, TEST_TIMEOUT_MS);

  afterAll(async () => {
    auditor?.signal('SIGTERM');
    await auditor?.end();
    if (gateway?.kill('SIGTERM')) await once(gateway, 'close');
    mailpit?.close();
    await shop?.stop();
  }, TEST_TIMEOUT_MS);

  async function startAuditor(): Promise<number> {
    const mails = await mailpitOf(shop.mailSink);
    mailpit = mails;
    const port = await freePort();
    const server = new URL(shop.postgres.superuserUrl);
    const env = {
      KAFKA_BROKERS: shop.brokers.join(','),
      MAILPIT_URL: mails.url,
      SUPERUSER_DATABASE_URL: server.href,
      AUDITOR_DATABASE_URL: `postgresql://auditor:auditor@${server.host}/postgres`,
      AUDITOR_DATABASE_PASSWORD: 'auditor',
      AUDIT_PORT: String(port),
      ...Object.fromEntries(
        Object.keys(shop.databases).map((name) => [`${name.toUpperCase()}_DATABASE_PASSWORD`, name]),
      ),
    };
    expect(await new ShopCommand('prepare', ['databases'], env).end()).toMatchObject({ code: 0 });
    auditor = new ShopCommand('audit', ['--every', '1', '--settled', '0'], env);
    await auditor.writes('the auditor looks at the books');
    return port;
  }

  /** One API that leads to the order service, and one that leads nowhere. */
  async function startGateway(): Promise<{ open: number; dead: number; status: number }> {
    const ports = { open: await freePort(), dead: await freePort(), status: await freePort() };
    const nowhere = await freePort();
    gateway = spawn(process.execPath, [gatewayProgram], {
      env: {
        ...process.env,
        GATEWAY_ROUTES: `${ports.open}=${shop.urls.order.replace('127.0.0.1', 'localhost')},${ports.dead}=http://127.0.0.1:${nowhere}`,
        GATEWAY_ORDER_API: 'localhost',
        GATEWAY_STATUS_PORT: String(ports.status),
      },
      stdio: 'ignore',
    });
    await until(
      'the gateway is ready',
      () =>
        fetch(`http://127.0.0.1:${ports.status}/health/ready`).then(
          ({ ok }) => ok,
          () => false,
        ),
      { timeoutMs: 30_000 },
    );
    return ports;
  }

  const exported = (): readonly Exported[] =>
    [...shown.values()]
      .flatMap(readExposition)
      .map((metric) => (metric.name === gatewayRetries.name ? gatewayRetries : metric));

  const ownExpressions = () => allExpressions().filter(({ expr }) => !expr.includes(COLLECTOR));
  const unknownOnes = (): readonly unknown[] => {
    const recorded = allExpressions().filter(({ at }) => at.includes(':'));
    return unknownNames(ownExpressions(), [...exported(), ...recorded.map(({ at }) => recordedMetric(at))]);
  };

  it('are all that alerts and dashboards name, with the labels that they name', () => {
    expect(ownExpressions().length).toBeGreaterThan(80);
    expect(unknownOnes()).toEqual([]);
  });

  it('have labels with few values: no ids, no addresses, no free text', () => {
    for (const text of shown.values()) expect(unboundedLabels(text)).toEqual([]);
  });

  it.each(services)('stay few in %s', (service) => {
    const series = readExposition(shown.get(service) ?? '').reduce((sum, { seriesCount }) => sum + seriesCount, 0);
    expect(series).toBeGreaterThan(50);
    expect(series).toBeLessThan(1_500);
  });
});

/** A recorded metric is named `<labels>:<metric>:<operation>`. */
function recordedMetric(name: string): Exported {
  const [labels = ''] = name.split(':');
  return { name, labels: new Set(labels.split('_')), seriesCount: 1 };
}

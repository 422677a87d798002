import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '@millrace/messaging/testing';
import { scenes, services } from '@millrace/shop';
import { endsByItself, parseCompose } from '../deployment/compose-file.ts';
import { allExpressions } from '../monitoring/monitoring-files.ts';
import { readExpression } from '../monitoring/promql.ts';
import { findingsOf } from '../traces/edges.ts';
import { readTrace } from '../traces/jaeger.ts';
import { completed, storiesOfScene } from '../traces/stories.ts';
import { ComposeShop } from './compose-shop.ts';
import { placeAndComplete, placeAndConfirm } from './orders.ts';

const MINUTE_MS = 60_000;

// The goal of a machine that has nothing else to do.
const FIRST_ORDER_WITHIN_MS = MINUTE_MS;

// These have no series before something goes wrong for the first time.
const onlyWhenWrong = new Set([
  'ALERTS',
  'gateway_retries_total',
  'gateway_upstream_failures_total',
  'messaging_dead_letters_total',
  'group_reason:messaging_dead_letters:increase5m',
  'messaging_retries_total',
  'otelcol_exporter_enqueue_failed_spans_total',
]);

const root = join(import.meta.dirname, '../..');
const { services: composeServices } = parseCompose(readFileSync(join(root, 'docker-compose.yml'), 'utf8'));

let shop: ComposeShop;
let firstOrderAfterMs: number;

beforeAll(async () => {
  shop = await ComposeShop.prepare();
  const start = performance.now();
  await shop.start({ withinS: 240, firstUse: () => placeAndConfirm(shop.url('ORDER_PORT'), MINUTE_MS) });
  firstOrderAfterMs = performance.now() - start;
  shop.say(`the first order was confirmed ${Math.round(firstOrderAfterMs / 1000)} s after \`up\``);
}, 6 * MINUTE_MS);

afterAll(async () => {
  await shop.down();
}, 2 * MINUTE_MS);

describe('the shop in containers', () => {
  it('confirms an order within a minute of its start', () => {
    expect(firstOrderAfterMs).toBeLessThan(FIRST_ORDER_WITHIN_MS);
  });

  it('is well in every part: what runs on is healthy, what ends has ended well', async () => {
    const containers = await shop.containers();
    const due = Object.entries(composeServices).filter(([, { profiles = [] }]) => profiles.length === 0);
    expect(containers.map(({ Service }) => Service).toSorted()).toEqual(due.map(([name]) => name).toSorted());
    const states = containers.map(({ Service, State, Health, ExitCode }) => {
      const ends = endsByItself(composeServices[Service] ?? {});
      return [Service, ends ? `${State} ${ExitCode}` : `${State} ${Health}`];
    });
    const expected = due.map(([name, service]) => [name, endsByItself(service) ? 'exited 0' : 'running healthy']);
    expect(Object.fromEntries(states)).toEqual(Object.fromEntries(expected));
  });

  it('runs without rights: no root, nothing to write to but volumes and memory, no capability', async () => {
    const ids = (await shop.containers()).map(({ ID }) => ID);
    const inspected = JSON.parse(await shop.run('docker', 'inspect', ...ids)) as readonly {
      readonly Name: string;
      readonly Config: { readonly User: string };
      readonly HostConfig: Readonly<Record<'ReadonlyRootfs' | 'CapDrop' | 'Memory' | 'PidsLimit', unknown>>;
    }[];
    for (const { Name, Config, HostConfig } of inspected) {
      const { ReadonlyRootfs, CapDrop, Memory, PidsLimit } = HostConfig;
      expect({ Name, User: Config.User, ReadonlyRootfs, CapDrop, Memory, PidsLimit }).toEqual({
        Name,
        User: expect.stringMatching(/^(?!root|0(:|$)).+/),
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        Memory: expect.any(Number),
        PidsLimit: expect.any(Number),
      });
    }
  });

  it(
    'passes the tour, and Jaeger has each of its orders as one whole trace',
    async () => {
      const tour = await shop.compose('run', '--rm', '--no-deps', 'tour');
      expect(tour).toContain('Every check held.');
      const traces = tracesOfScenes(tour);
      expect([...traces.keys()]).toEqual(scenes.map(({ name }) => name));
      for (const [scene, ids] of traces) {
        shop.say(`${scene}: ${ids.length} trace(s)`);
        expect(ids.length).toBeGreaterThan(0);
        for (const id of ids) {
          const findings = async () =>
            findingsOf(await readTrace(shop.url('JAEGER_PORT'), id), storiesOfScene[scene] ?? []);
          await until(`trace ${id} is whole`, async () => (await findings()).length === 0, { everyMs: 500 }).catch(
            () => {},
          );
          expect({ scene, id, findings: await findings() }).toEqual({ scene, id, findings: [] });
        }
      }
    },
    5 * MINUTE_MS,
  );

  it('answers the tool `millrace` from a container of its own, each service by its own database', async () => {
    const millrace = async (...args: readonly string[]): Promise<Record<string, unknown>> =>
      JSON.parse(await shop.compose('run', '--rm', '--no-deps', '-T', 'millrace', ...args, '--json')) as Record<
        string,
        unknown
      >;
    expect(await millrace('topics')).toMatchObject({
      topics: expect.arrayContaining([expect.objectContaining({ topic: 'order.events.v1' })]),
    });
    expect(await millrace('dlq', 'list')).toMatchObject({ total: expect.any(Number) });
    expect(await millrace('parked', 'list')).toEqual({ parked: expect.any(Array) });
  });

  it('is watched: Prometheus reaches every target, and understands every rule', async () => {
    interface Targets {
      readonly data: {
        readonly activeTargets: readonly {
          readonly scrapeUrl: string;
          readonly health: string;
          readonly lastError: string;
        }[];
      };
    }
    const notUp = async () =>
      (await shop.json<Targets>('PROMETHEUS_PORT', '/api/v1/targets')).data.activeTargets.filter(
        ({ health }) => health !== 'up',
      );
    await until('every target is up', async () => (await notUp()).length === 0).catch(() => {});
    expect(await notUp()).toEqual([]);
    expect(await shop.query('count by (service) (up{job="services"} == 1)')).toHaveLength(services.length + 1);
    expect(await shop.query('up{job=~"kafka|auditor|otel-collector|jaeger"}')).toEqual([1, 1, 1, 1]);

    interface Rules {
      readonly data: {
        readonly groups: readonly { readonly rules: readonly { readonly name: string; readonly health: string }[] }[];
      };
    }
    const rules = async () =>
      (await shop.json<Rules>('PROMETHEUS_PORT', '/api/v1/rules')).data.groups.flatMap((group) => group.rules);
    await until('every rule was evaluated', async () => (await rules()).every(({ health }) => health === 'ok')).catch(
      () => {},
    );
    expect((await rules()).length).toBeGreaterThan(5);
    expect((await rules()).filter(({ health }) => health !== 'ok')).toEqual([]);
  });

  it('has alert rules that promtool accepts and whose tests pass', async () => {
    const promtool = (...args: readonly string[]) => shop.compose('exec', '-T', 'prometheus', 'promtool', ...args);
    expect(await promtool('check', 'config', '/etc/prometheus/prometheus.yml')).toContain('SUCCESS');
    expect(await promtool('test', 'rules', '/etc/prometheus/alerts.test.yml')).not.toContain('FAILED');
  });

  it('has every metric that a dashboard or an alert names', async () => {
    const asked = allExpressions().flatMap(({ expr }) => readExpression(expr).selectors);
    const missing: string[] = [];
    for (const metric of new Set(asked.map((selector) => selector.metric))) {
      if ((await shop.query(`count(${metric})`)).length === 0) missing.push(metric);
    }
    expect(missing.filter((metric) => !onlyWhenWrong.has(metric))).toEqual([]);
  });

  it('shows every dashboard in Grafana', async () => {
    const uids = globSync('infra/grafana/dashboards/*.json', { cwd: root }).map(
      (file) => (JSON.parse(readFileSync(join(root, file), 'utf8')) as { readonly uid: string }).uid,
    );
    const found = await shop.json<readonly { readonly uid: string }[]>('GRAFANA_PORT', '/api/search?type=dash-db');
    expect(found.map(({ uid }) => uid)).toEqual(expect.arrayContaining(uids));
    expect(uids.length).toBeGreaterThan(2);
  });

  it(
    'fits into its memory',
    async () => {
      const table = await shop.run(process.execPath, 'infra/compose/measure-memory.mjs', '--project', shop.project);
      shop.say(`memory\n${table}`);
      expect(table).toMatch(/\d+ containers/);
    },
    MINUTE_MS,
  );

  it(
    'grows and shrinks under its customers: three replicas of a service share its work',
    async () => {
      const scaled = (count: number) =>
        shop.compose('up', '--wait', '--wait-timeout', '120', '--no-recreate', '--scale', `inventory=${count}`);
      await scaled(3);
      await until(
        'the gateway knows three replicas',
        async () => (await shop.query('gateway_replicas{api="inventory"}'))[0] === 3,
      );
      const working = 'count(sum by (instance) (messaging_assigned_partitions{service="inventory"}) > 0)';
      await until('three replicas have partitions', async () => (await shop.query(working))[0] === 3, {
        timeoutMs: MINUTE_MS,
        everyMs: 500,
      });
      await Promise.all(Array.from({ length: 20 }, () => placeAndComplete(shop.url('ORDER_PORT'), MINUTE_MS)));
      for (let each = 0; each < 6; each++) await shop.json('INVENTORY_PORT', '/products?limit=1');
      await scaled(1);
      await Promise.all(Array.from({ length: 5 }, () => placeAndComplete(shop.url('ORDER_PORT'), MINUTE_MS)));
    },
    5 * MINUTE_MS,
  );

  it(
    'sells on while nobody takes its spans, and is traced again afterwards',
    async () => {
      await shop.compose('stop', 'otel-collector');
      for (let each = 0; each < 5; each++) await placeAndComplete(shop.url('ORDER_PORT'), MINUTE_MS);
      await shop.compose('up', '--wait', '--no-deps', '--no-recreate', 'otel-collector');
      const traced = async (): Promise<boolean> => {
        const orderId = await placeAndComplete(shop.url('ORDER_PORT'), MINUTE_MS);
        const { traceId } = await shop.json<{ readonly traceId: string }>('ORDER_PORT', `/orders/${orderId}/timeline`);
        const isWhole = async () =>
          findingsOf(await readTrace(shop.url('JAEGER_PORT'), traceId), [completed]).length === 0;
        return until('it is whole', isWhole, { timeoutMs: 15_000, everyMs: 500 }).catch(() => false);
      };
      await until('an order has a whole trace again', traced, { timeoutMs: MINUTE_MS });
    },
    4 * MINUTE_MS,
  );

  it(
    'leaves nothing behind',
    async () => {
      expect(await shop.down()).toEqual([]);
    },
    2 * MINUTE_MS,
  );
});

/** The ids of the traces in what the tour tells, by scene. */
function tracesOfScenes(tour: string): ReadonlyMap<string, readonly string[]> {
  const traces = new Map<string, string[]>();
  let scene = '';
  for (const line of tour.split('\n')) {
    scene = /^\d+\/\d+ {2}(.+?)\s*$/.exec(line)?.[1] ?? scene;
    const [, id] = /\btrace .*?([0-9a-f]{32})/.exec(line) ?? [];
    if (id !== undefined) traces.set(scene, [...(traces.get(scene) ?? []), id]);
  }
  return traces;
}

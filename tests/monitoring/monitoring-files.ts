import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { AlertTests, Monitoring, RuleFile } from './alerts.ts';
import type { Dashboard } from './dashboards.ts';
import type { Asked } from './vocabulary.ts';

const repository = join(import.meta.dirname, '../..');
const prometheus = join(repository, 'infra/prometheus');
const dashboardFolder = join(repository, 'infra/grafana/dashboards');
const runbookFolder = 'docs/runbooks';

const text = (...path: readonly string[]) => readFileSync(join(...path), 'utf8');

/** The rules of Prometheus, their tests and the runbooks, as the repository has them. */
export function readMonitoring(): Monitoring {
  return {
    recordings: parse(text(prometheus, 'recordings.yml')) as RuleFile,
    alerts: parse(text(prometheus, 'alerts.yml')) as RuleFile,
    tests: parse(text(prometheus, 'alerts.test.yml')) as AlertTests,
    runbooks: new Map(
      readdirSync(join(repository, runbookFolder))
        .map((name) => `${runbookFolder}/${name}`)
        .map((path) => [path, text(repository, path)]),
    ),
  };
}

/** What Grafana loads, by file name. */
export function readDashboards(): ReadonlyMap<string, Dashboard> {
  const names = readdirSync(dashboardFolder).toSorted();
  return new Map(names.map((name) => [name, JSON.parse(text(dashboardFolder, name)) as Dashboard]));
}

/** The uids of the data sources that Grafana is given. */
export function readDatasourceUids(): readonly string[] {
  const file = parse(text(repository, 'infra/grafana/provisioning/datasources/datasources.yaml')) as {
    readonly datasources: readonly { readonly uid: string }[];
  };
  return file.datasources.map(({ uid }) => uid);
}

/** The jobs that Prometheus scrapes, with their names of services. */
export function readJobs(): ReadonlyMap<string, readonly string[]> {
  const file = parse(text(prometheus, 'prometheus.yml')) as {
    readonly scrape_configs: readonly {
      readonly job_name: string;
      readonly dns_sd_configs?: readonly { readonly names: readonly string[] }[];
    }[];
  };
  return new Map(
    file.scrape_configs.map(({ job_name, dns_sd_configs = [] }) => [
      job_name,
      dns_sd_configs.flatMap(({ names }) => names),
    ]),
  );
}

/** The names of the services in docker-compose.yml. */
export function readComposeServices(): readonly string[] {
  return Object.keys((parse(text(repository, 'docker-compose.yml'), { merge: true }) as { services: object }).services);
}

/** Every expression that an alert, a recording or a panel has. */
export function allExpressions(): readonly Asked[] {
  const { recordings, alerts } = readMonitoring();
  const rules = [...recordings.groups, ...alerts.groups].flatMap((group) => group.rules);
  return [
    ...rules.map((rule) => ({ at: rule.alert ?? rule.record ?? '', expr: rule.expr })),
    ...[...readDashboards().values()].flatMap((dashboard) =>
      dashboard.panels.flatMap((panel) =>
        (panel.targets ?? []).map(({ expr }) => ({ at: `${dashboard.title} / ${panel.title}`, expr })),
      ),
    ),
  ];
}

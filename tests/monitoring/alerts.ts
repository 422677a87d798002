import { readExpression } from './promql.ts';

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

/** The promtool tests of the alerts, as far as we look at them. */
export interface AlertTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts?: readonly unknown[] }[];
  }[];
}

export interface Monitoring {
  readonly recordings: RuleFile;
  readonly alerts: RuleFile;
  readonly tests: AlertTests;
  /** The pages of docs/runbooks by path from the root of the repository. */
  readonly runbooks: ReadonlyMap<string, string>;
}

/** The parts that each runbook has, in this order. */
const CHAPTERS = ['## What it means', '## How to look', '## What to do', '## How to see that it is over'];

const INDEX = 'docs/runbooks/README.md';

/** Where the page of an alert is: its name in lower case, with hyphens. */
function runbookOf(alert: string): string {
  return `docs/runbooks/${alert.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()}.md`;
}

/** What is wrong with the rules, their tests or their runbooks, one sentence each. */
export function faultsOfMonitoring({ recordings, alerts, tests, runbooks }: Monitoring): readonly string[] {
  const rules = alerts.groups.flatMap((group) => group.rules);
  const recorded = recordings.groups.flatMap((group) => group.rules);
  const cases = tests.tests.flatMap((test) => test.alert_rule_test);
  const names = new Set(recorded.map(({ record }) => record));
  const faults = [...recorded, ...rules].flatMap((rule) => faultsOfExpression(rule, names));
  for (const rule of rules) {
    const { alert = '' } = rule;
    faults.push(...faultsOfAlert(rule));
    const own = cases.filter(({ alertname }) => alertname === alert);
    if (!own.some(({ exp_alerts = [] }) => exp_alerts.length > 0))
      faults.push(`${alert} has no test in which it fires`);
    if (!own.some(({ exp_alerts = [] }) => exp_alerts.length === 0))
      faults.push(`${alert} has no near miss among its tests`);
    faults.push(...faultsOfRunbook(alert, runbooks));
  }
  const pages = new Set([INDEX, ...rules.map(({ alert = '' }) => runbookOf(alert))]);
  for (const page of runbooks.keys()) {
    if (!pages.has(page)) faults.push(`${page} belongs to no alert`);
  }
  for (const { alertname } of cases) {
    if (!rules.some(({ alert }) => alert === alertname)) faults.push(`a test is about ${alertname}, which is no alert`);
  }
  return faults;
}

function faultsOfExpression({ alert, record, expr }: Rule, recorded: ReadonlySet<string | undefined>): string[] {
  const at = alert ?? record ?? 'a rule without a name';
  const { faults, selectors } = readExpression(expr);
  return [
    ...faults.map((fault) => `${at} ${fault}`),
    ...selectors
      .filter(({ metric }) => metric.includes(':') && !recorded.has(metric))
      .map(({ metric }) => `${at} asks for ${metric}, which nothing records`),
  ];
}

function faultsOfAlert({ alert = '', labels = {}, annotations = {} }: Rule): string[] {
  const faults: string[] = [];
  if (!/^[A-Z][A-Za-z]+$/.test(alert)) faults.push(`${alert} is no name in capitals`);
  if (!['page', 'ticket'].includes(labels['severity'] ?? '')) faults.push(`${alert} has no severity page or ticket`);
  if (!annotations['summary']) faults.push(`${alert} has no summary`);
  if (!/\$value/.test(annotations['description'] ?? '')) faults.push(`${alert} has no description with the value`);
  if (annotations['runbook_url'] !== runbookOf(alert)) faults.push(`${alert} does not link to ${runbookOf(alert)}`);
  return faults;
}

function faultsOfRunbook(alert: string, runbooks: ReadonlyMap<string, string>): string[] {
  const path = runbookOf(alert);
  const page = runbooks.get(path);
  if (page === undefined) return [`${alert} has no runbook ${path}`];
  const faults: string[] = [];
  if (!page.startsWith(`# ${alert}\n`)) faults.push(`${path} is not headed ${alert}`);
  const places = CHAPTERS.map((chapter) => page.indexOf(`\n${chapter}\n`));
  if (places.includes(-1) || places.some((place, index) => index > 0 && place < (places[index - 1] ?? 0))) {
    faults.push(`${path} does not have the chapters ${CHAPTERS.join(', ')}`);
  }
  const name = path.replace('docs/runbooks/', '');
  if (!runbooks.get(INDEX)?.includes(`](${name})`)) faults.push(`${INDEX} does not list ${name}`);
  return faults;
}

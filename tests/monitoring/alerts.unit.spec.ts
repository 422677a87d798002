import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { repository } from '../architecture/workspace-copy.ts';
import { faultsOfMonitoring, type Monitoring, type Rule } from './alerts.ts';
import { readComposeServices, readDashboards, readJobs, readMonitoring } from './monitoring-files.ts';

const monitoring = readMonitoring();
const rules = monitoring.alerts.groups.flatMap((group) => group.rules);

/** The rules with one alert changed. */
const withRule = (alert: string, change: (rule: Rule) => Rule): Monitoring => ({
  ...monitoring,
  alerts: {
    groups: monitoring.alerts.groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => (rule.alert === alert ? change(rule) : rule)),
    })),
  },
});

/** The tests without those cases of OutboxStuck that the filter drops. */
const withCases = (keeps: (firesToo: boolean) => boolean): Monitoring => ({
  ...monitoring,
  tests: {
    tests: monitoring.tests.tests.map((test) => ({
      ...test,
      alert_rule_test: test.alert_rule_test.filter(
        ({ alertname, exp_alerts = [] }) => alertname !== 'OutboxStuck' || keeps(exp_alerts.length > 0),
      ),
    })),
  },
});

const withRunbooks = (change: (runbooks: Map<string, string>) => void): Monitoring => {
  const runbooks = new Map(monitoring.runbooks);
  change(runbooks);
  return { ...monitoring, runbooks };
};

const page = 'docs/runbooks/outbox-stuck.md';

describe('the alerts', () => {
  it('are in order, each tested both ways and with a page that says what to do', () => {
    expect(faultsOfMonitoring(monitoring)).toEqual([]);
  });

  it.each([
    ['an outbox that does not move', 'OutboxStuck'],
    ['messages that are given up', 'DeadLettersGrowing'],
    ['a group that falls behind', 'LagGrowing'],
    ['a checkout past its deadline', 'CheckoutPastDeadline'],
    ['partitions without all their copies', 'PartitionsUnderReplicated'],
    ['partitions without a leader', 'PartitionsOffline'],
    ['a service that is down', 'ServiceDown'],
    ['books that do not add up', 'BooksDoNotAddUp'],
    ['an auditor that is silent', 'AuditorSilent'],
    ['a target that nobody scrapes', 'TargetDown'],
    ['traces with holes', 'SpansDropped'],
  ])('tell of %s', (_, alert) => {
    expect(rules.map((rule) => rule.alert)).toContain(alert);
  });

  it('miss no service and no job that Prometheus scrapes', () => {
    const jobs = readJobs();
    const exprOf = (alert: string) => rules.find((rule) => rule.alert === alert)?.expr ?? '';
    const services = jobs.get('services') ?? [];
    expect(services).toEqual(expect.arrayContaining(readdirSync(join(repository, 'apps'))));
    expect(services.filter((name) => !exprOf('ServiceDown').includes(`service="${name}"`))).toEqual([]);
    const others = [...jobs.keys()].filter((job) => job !== 'services' && job !== 'prometheus');
    expect(others.filter((job) => !exprOf('TargetDown').includes(`job="${job}"`))).toEqual([]);
  });

  it('have runbooks that send people to panels and containers that exist', () => {
    const titles = new Set([...readDashboards().values()].flatMap(({ panels }) => panels.map(({ title }) => title)));
    const containers = new Set(readComposeServices());
    const wrong = [...monitoring.runbooks].flatMap(([path, text]) => [
      ...[...text.matchAll(/(?<![\w`])_([A-Z][^_`]+)_(?!\w)/g)]
        .map(([, title = '']) => title.replaceAll(/\s+/g, ' '))
        .filter((title) => !titles.has(title))
        .map((title) => `${path}: no panel is called ${title}`),
      ...[...text.matchAll(/docker compose (?:exec|restart|up -d|run --rm)(?: -e \S+)? ([a-z][\w-]*)/g)]
        .filter(([, name = '']) => !containers.has(name))
        .map(([command]) => `${path}: ${command} names no service of docker-compose.yml`),
    ]);
    expect(wrong).toEqual([]);
  });

  const planted: readonly (readonly [string, Monitoring, string])[] = [
    ['no severity', withRule('OutboxStuck', (rule) => ({ ...rule, labels: {} })), 'OutboxStuck has no severity'],
    [
      'no summary',
      withRule('OutboxStuck', ({ annotations, ...rule }) => ({
        ...rule,
        annotations: { ...annotations, summary: '' },
      })),
      'OutboxStuck has no summary',
    ],
    [
      'a description without the value',
      withRule('OutboxStuck', ({ annotations, ...rule }) => ({
        ...rule,
        annotations: { ...annotations, description: 'too old' },
      })),
      'no description with the value',
    ],
    [
      'a link to another page',
      withRule('OutboxStuck', ({ annotations, ...rule }) => ({
        ...rule,
        annotations: { ...annotations, runbook_url: 'docs/runbooks/README.md' },
      })),
      `does not link to ${page}`,
    ],
    [
      'an expression that is no PromQL',
      withRule('OutboxStuck', (rule) => ({ ...rule, expr: 'max(x) >' })),
      'OutboxStuck is no PromQL',
    ],
    [
      'a figure that nobody records',
      withRule('OutboxStuck', (rule) => ({ ...rule, expr: 'service:outbox:max > 30' })),
      'which nothing records',
    ],
    [
      'a new alert that has nothing yet',
      withRule('OutboxStuck', (rule) => ({ ...rule, alert: 'MailLate' })),
      'MailLate has no test in which it fires',
    ],
    [
      'a test of an alert that is gone',
      withRule('OutboxStuck', (rule) => ({ ...rule, alert: 'MailLate' })),
      'a test is about OutboxStuck',
    ],
    [
      'a page of an alert that is gone',
      withRule('OutboxStuck', (rule) => ({ ...rule, alert: 'MailLate' })),
      `${page} belongs to no alert`,
    ],
    ['no case in which it fires', withCases((fires) => !fires), 'OutboxStuck has no test in which it fires'],
    ['no near miss', withCases((fires) => fires), 'OutboxStuck has no near miss'],
    ['no runbook', withRunbooks((runbooks) => runbooks.delete(page)), `OutboxStuck has no runbook ${page}`],
    [
      'a runbook that nobody needs',
      withRunbooks((runbooks) => runbooks.set('docs/runbooks/old.md', '# Old')),
      'old.md belongs to no alert',
    ],
    [
      'a runbook without advice',
      withRunbooks((runbooks) => runbooks.set(page, '# OutboxStuck\n\n## What it means\n')),
      'does not have the chapters',
    ],
    [
      'a runbook that the list lacks',
      withRunbooks((runbooks) => runbooks.set('docs/runbooks/README.md', '# Runbooks')),
      'does not list outbox-stuck.md',
    ],
  ];

  it.each(planted)('are refused with %s', (_, changed, fault) => {
    expect(faultsOfMonitoring(changed).join('\n')).toContain(fault);
  });
});

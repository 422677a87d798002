import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { copyWorkspace, repository, type ToolRun, type WorkspaceCopy } from '../architecture/workspace-copy.ts';
import { type Dashboard, faultsOfDashboard } from './dashboards.ts';
import { readDashboards, readDatasourceUids } from './monitoring-files.ts';

const dashboards = readDashboards();
const datasources = readDatasourceUids();

type Changed = (text: string) => string;

describe('the dashboards', () => {
  it('are Shop, Event flow and Services, under uids that stay', () => {
    expect([...dashboards].map(([file, { uid, title }]) => [file, uid, title])).toEqual([
      ['millrace-event-flow.json', 'millrace-event-flow', 'Event flow'],
      ['millrace-services.json', 'millrace-services', 'Services'],
      ['millrace-shop.json', 'millrace-shop', 'Shop'],
    ]);
  });

  it.each([...dashboards.keys()])('%s is in order', (file) => {
    expect(faultsOf(file)).toEqual([]);
  });

  it('name only runbooks that exist', () => {
    const named = [...dashboards.values()].flatMap((dashboard) => [
      ...JSON.stringify(dashboard).matchAll(/docs\/runbooks\/[\w-]+\.md/g),
    ]);
    expect(named.length).toBeGreaterThan(10);
    expect(named.map(([page]) => page).filter((page) => !existsSync(join(repository, page)))).toEqual([]);
  });

  const planted: readonly (readonly [string, Changed, string])[] = [
    ['no uid', (text) => text.replace('"uid":"millrace-shop","title"', '"title"'), 'no stable uid'],
    [
      'no link to another',
      (text) => text.replace('"url":"/d/millrace-services"', '"url":"/"'),
      'no link to /d/millrace-services',
    ],
    ['no link to the traces', (text) => text.replace('"title":"Traces"', '"title":"T"'), 'no link to the traces'],
    [
      'a panel without a description',
      (text) => text.replace(/"description":"[^"]*When it looks[^"]*"/, '"description":""'),
      'does not say what it tells',
    ],
    ['a panel that gives no advice', (text) => text.replace('**When it looks wrong:**', ''), 'does not say what to do'],
    ['a panel without a unit', (text) => text.replace('"unit":"short"', '"unit":""'), 'has no unit'],
    ['a panel that asks nothing', (text) => text.replace(/"targets":\[\{.*?\}\]/, '"targets":[]'), 'asks nothing'],
    [
      'an unknown data source',
      (text) => text.replaceAll('"uid":"prometheus"', '"uid":"promehteus"'),
      'data source that does not exist',
    ],
    ['two panels with one id', (text) => text.replace('"id":3,', '"id":2,'), 'two panels with one id'],
    ['panels that overlap', (text) => text.replace('"x":8,', '"x":7,'), 'lies over'],
    [
      'lines without a name',
      (text) => text.replace('"legendFormat":"placed"', '"legendFormat":""'),
      'lines without a name',
    ],
    [
      'a query that is no PromQL',
      (text) => text.replace('max(order_checkouts_past_deadline)', 'max(order_checkouts_past_deadline'),
      'is no PromQL',
    ],
    ['lines for each order', (text) => text.replaceAll('by (stage)', 'by (order_id)'), 'groups by order_id'],
    ['a name that the query drops', (text) => text.replaceAll('{{stage}}', '{{step}}'), 'names its lines by step'],
  ];

  it.each(planted)('are refused with %s', (_, change, fault) => {
    const text = JSON.stringify(dashboards.get('millrace-shop.json'));
    const changed = change(text);
    expect(changed).not.toBe(text);
    expect(faultsOfDashboard(JSON.parse(changed) as Dashboard, datasources).join('\n')).toContain(fault);
  });

  function faultsOf(file: string): readonly string[] {
    const dashboard = dashboards.get(file);
    if (dashboard === undefined) throw new Error(`there is no ${file}`);
    return faultsOfDashboard(dashboard, datasources);
  }
});

describe('the files of the dashboards', () => {
  let copy: WorkspaceCopy;
  beforeAll(() => {
    copy = copyWorkspace();
  });
  afterEach(() => copy.uproot());
  afterAll(() => copy.remove());

  const generate = (...args: readonly string[]): Promise<ToolRun> =>
    copy.run(
      'node',
      '--conditions=@millrace/source',
      '--import',
      './tools/ts.mjs',
      'tools/dashboards/generate.ts',
      ...args,
    );

  it('are what their description says', async () => {
    expect(await generate('--check')).toMatchObject({ exitCode: 0, text: '' });
  });

  const file = 'infra/grafana/dashboards/millrace-shop.json';
  const text = readFileSync(join(repository, file), 'utf8');

  it('are refused when somebody changed them by hand or left one over', async () => {
    copy.plant(file, text.replace('"refresh": "5s"', '"refresh": "1s"'));
    copy.plant('infra/grafana/dashboards/old.json', '{}');
    const { exitCode, text: said } = await generate('--check');
    expect(exitCode).toBe(1);
    expect(said).toContain('millrace-shop.json is not what tools/dashboards says');
    expect(said).toContain('old.json is not what tools/dashboards says');
  });

  it('are written again from their description', async () => {
    copy.plant(file, '{}\n');
    expect(await generate()).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(copy.root, file), 'utf8')).toBe(text);
  });
});

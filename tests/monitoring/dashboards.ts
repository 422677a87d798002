import { readExpression } from './promql.ts';

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly Target[];
}

/** A dashboard as Grafana loads it, as far as we have an opinion of it. */
export interface Dashboard {
  readonly uid?: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly links?: readonly { readonly title: string; readonly url: string }[];
  readonly panels: readonly Panel[];
}

// Each value would be a line of its own in the chart, and a series of its own in Prometheus.
const ENDLESS = /^(order|customer|message|trace|span|payment|shipment|product)(_?id)?$|^(id|sku|email|key|offset)$/;

const COLUMNS = 24;

/** What is wrong with a dashboard, one sentence each. `datasources` are the uids that exist. */
export function faultsOfDashboard(dashboard: Dashboard, datasources: readonly string[]): readonly string[] {
  const { uid = '', title, schemaVersion, links = [], panels } = dashboard;
  const faults: string[] = [];
  if (!/^millrace-[a-z-]+$/.test(uid)) faults.push(`${title} has no stable uid`);
  if (schemaVersion < 41) faults.push(`${title} is written for a Grafana before 12`);
  for (const wanted of ['/d/millrace-shop', '/d/millrace-event-flow', '/d/millrace-services']) {
    if (!links.some(({ url }) => url === wanted)) faults.push(`${title} has no link to ${wanted}`);
  }
  if (!links.some(({ title: to }) => to === 'Traces')) faults.push(`${title} has no link to the traces`);
  if (new Set(panels.map(({ id }) => id)).size < panels.length) faults.push(`${title} has two panels with one id`);
  for (const [index, panel] of panels.entries()) {
    const at = `${title} / ${panel.title}`;
    for (const other of panels.slice(index + 1)) {
      if (overlap(panel, other)) faults.push(`${at} lies over ${other.title}`);
    }
    if (panel.gridPos.x + panel.gridPos.w > COLUMNS) faults.push(`${at} is wider than the page`);
    if (panel.type !== 'row') faults.push(...faultsOfPanel(panel, datasources).map((fault) => `${at} ${fault}`));
  }
  return faults;
}

function faultsOfPanel(panel: Panel, datasources: readonly string[]): readonly string[] {
  const { description = '', datasource, targets = [], fieldConfig } = panel;
  const faults: string[] = [];
  const [tells = '', whenWrong = ''] = description.split('**When it looks wrong:**');
  if (!/\w.*\.\s*$/s.test(tells)) faults.push('does not say what it tells');
  if (!/\w/.test(whenWrong)) faults.push('does not say what to do when it looks wrong');
  if (!datasources.includes(datasource?.uid ?? '')) faults.push('asks a data source that does not exist');
  if (!fieldConfig?.defaults.unit) faults.push('has no unit');
  if (targets.length === 0) faults.push('asks nothing');
  if (new Set(targets.map(({ refId }) => refId)).size < targets.length) faults.push('has two queries with one refId');
  for (const { expr, legendFormat = '' } of targets) {
    if (legendFormat === '') faults.push('has lines without a name');
    const { faults: wrong, selectors } = readExpression(expr);
    faults.push(...wrong);
    const labels = new Set(selectors.flatMap((selector) => [...selector.labels]));
    for (const label of labels) {
      if (ENDLESS.test(label)) faults.push(`groups by ${label}, which has no end of values`);
    }
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
      const isRecorded = selectors.some(({ metric }) => metric.startsWith(`${label}:`));
      const isSeries = label === 'instance';
      if (!labels.has(label) && !isRecorded && !isSeries)
        faults.push(`names its lines by ${label}, which the query drops`);
    }
  }
  return faults;
}

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

import type { Panel, Query, Step } from './panels.ts';

export interface Dashboard {
  /** Stays: links, tests and people's bookmarks name it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Lets one choose services at the top; queries then say `service=~"$service"`. */
  readonly choosesService?: boolean;
  readonly panels: readonly Panel[];
}

type Json = Readonly<Record<string, unknown>>;

const SCHEMA_VERSION = 41; // Grafana 12
const COLUMNS = 24;
const HEIGHTS = { row: 1, figure: 5, lines: 8, bars: 8, table: 8 } as const;

const prometheus = { type: 'prometheus', uid: 'prometheus' };

/** What Grafana loads. Ids and places follow from the order of the panels, so a change of one line stays a small diff. */
export function toGrafana(
  { uid, title, description, choosesService = false, panels }: Dashboard,
  all: readonly Dashboard[],
): Json {
  return {
    uid,
    title,
    description,
    tags: ['millrace'],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: false,
    graphTooltip: 1,
    timezone: 'browser',
    refresh: '5s',
    time: { from: 'now-15m', to: 'now' },
    timepicker: { refresh_intervals: ['5s', '10s', '30s', '1m', '5m'] },
    links: [
      ...all.map((other) => link(other.title, `/d/${other.uid}`, 'dashboard', other.description)),
      link('Traces', 'http://127.0.0.1:16686/search?service=order', 'external link', 'Orders as traces, in Jaeger'),
      link(
        'Alerts',
        'http://127.0.0.1:9090/alerts',
        'bell',
        'All alerts in Prometheus; each names its page in docs/runbooks',
      ),
    ],
    templating: { list: choosesService ? [serviceVariable] : [] },
    annotations: { list: [firingAlerts] },
    panels: placed(panels),
  };
}

function link(title: string, url: string, icon: string, tooltip: string): Json {
  const isOutside = url.startsWith('http');
  return {
    type: 'link',
    title,
    url,
    icon,
    tooltip,
    tags: [],
    asDropdown: false,
    includeVars: false,
    keepTime: !isOutside,
    targetBlank: isOutside,
  };
}

const serviceVariable: Json = {
  name: 'service',
  label: 'Service',
  type: 'query',
  datasource: prometheus,
  query: { query: 'label_values(up{job="services"}, service)', refId: 'service' },
  refresh: 2,
  sort: 1,
  multi: true,
  includeAll: true,
  allValue: '.*',
  current: { selected: true, text: ['All'], value: ['$__all'] },
};

const firingAlerts: Json = {
  name: 'Alerts',
  datasource: prometheus,
  enable: true,
  iconColor: 'red',
  expr: 'ALERTS{alertstate="firing"}',
  step: '15s',
  titleFormat: '{{alertname}}',
  textFormat: '{{service}} {{group}} {{rule}}',
};

function placed(panels: readonly Panel[]): readonly Json[] {
  let x = 0;
  let y = 0;
  let height = 0;
  return panels.map((panel, index) => {
    const w = panel.kind === 'row' ? COLUMNS : panel.width;
    const h = HEIGHTS[panel.kind];
    if (x + w > COLUMNS) {
      x = 0;
      y += height;
      height = 0;
    }
    const gridPos = { x, y, w, h };
    x += w;
    height = Math.max(height, h);
    return { id: index + 1, ...json(panel), gridPos };
  });
}

function json(panel: Panel): Json {
  if (panel.kind === 'row') return { type: 'row', title: panel.title, collapsed: false, panels: [] };
  const { title, tells, whenWrong, queries } = panel;
  return {
    title,
    description: `${tells}\n\n**When it looks wrong:** ${whenWrong}`,
    datasource: prometheus,
    ...view(panel),
    targets: queries.map((query, index) => target(query, index, panel.kind)),
  };
}

function target({ expr, legend }: Query, index: number, kind: Panel['kind']): Json {
  const isSeries = kind === 'lines' || kind === 'figure';
  return {
    refId: String.fromCodePoint('A'.charCodeAt(0) + index),
    datasource: prometheus,
    editorMode: 'code',
    expr,
    legendFormat: legend,
    range: isSeries,
    instant: !isSeries,
    format: kind === 'table' ? 'table' : 'time_series',
  };
}

function view(panel: Exclude<Panel, { kind: 'row' }>): Json {
  const { unit, max, decimals, steps = [] } = panel;
  const defaults = {
    unit,
    min: 0,
    ...(max === undefined ? {} : { max }),
    ...(decimals === undefined ? {} : { decimals }),
    color: { mode: panel.kind === 'lines' ? 'palette-classic' : 'thresholds' },
    thresholds: { mode: 'absolute', steps: thresholds(steps) },
  };
  const newest = { calcs: ['lastNotNull'], fields: '', values: false };
  switch (panel.kind) {
    case 'lines':
      return {
        type: 'timeseries',
        fieldConfig: {
          defaults: {
            ...defaults,
            custom: {
              drawStyle: 'line',
              lineWidth: 1,
              fillOpacity: panel.isStacked ? 30 : 5,
              showPoints: 'never',
              spanNulls: false,
              axisSoftMin: 0,
              stacking: { mode: panel.isStacked ? 'normal' : 'none', group: 'A' },
              thresholdsStyle: { mode: steps.length > 0 ? 'dashed' : 'off' },
            },
          },
          overrides: [],
        },
        options: {
          legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull', 'max'] },
          tooltip: { mode: 'multi', sort: 'desc' },
        },
      };
    case 'figure':
      return {
        type: 'stat',
        fieldConfig: { defaults, overrides: [] },
        options: {
          reduceOptions: newest,
          colorMode: 'value',
          graphMode: 'area',
          textMode: 'auto',
          justifyMode: 'auto',
          orientation: 'auto',
        },
      };
    case 'bars':
      return {
        type: 'bargauge',
        fieldConfig: { defaults, overrides: [] },
        options: {
          reduceOptions: newest,
          displayMode: 'basic',
          orientation: 'horizontal',
          valueMode: 'text',
          showUnfilled: true,
        },
      };
    case 'table':
      return {
        type: 'table',
        fieldConfig: { defaults: { ...defaults, custom: { align: 'auto', filterable: true } }, overrides: [] },
        options: { showHeader: true, cellHeight: 'sm', footer: { show: false } },
        transformations: [
          { id: 'merge', options: {} },
          { id: 'filterFieldsByName', options: { include: { names: Object.keys(panel.columns) } } },
          {
            id: 'organize',
            options: {
              renameByName: panel.columns,
              indexByName: Object.fromEntries(Object.keys(panel.columns).map((name, index) => [name, index])),
            },
          },
        ],
      };
  }
}

const thresholds = (steps: readonly Step[]) => [
  { color: 'green', value: null },
  ...steps.map(({ from, color }) => ({ color, value: from })),
];

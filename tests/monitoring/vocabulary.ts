import type { Exported } from './exposition.ts';
import { readJobs } from './monitoring-files.ts';
import { readExpression, type Selector } from './promql.ts';

/** An expression and the place that it stands in. */
export interface Asked {
  readonly at: string;
  readonly expr: string;
}

/** The labels of a metric with their values; undefined where the values are not known. */
type Labels = Map<string, Set<string> | undefined>;

// What Prometheus says about its own work.
const ownMetrics: readonly Exported[] = [
  { name: 'up', labels: new Set(), seriesCount: 1 },
  { name: 'process_start_time_seconds', labels: new Set(), seriesCount: 1 },
  {
    name: 'ALERTS',
    labels: new Set(['alertname', 'alertstate']),
    seriesCount: 1,
    values: new Map([['alertstate', new Set(['pending', 'firing'])]]),
  },
];

/** Which metrics, labels and values of labels the expressions name although nobody exports them. */
export function unknownNames(asked: readonly Asked[], exported: readonly Exported[]): readonly string[] {
  const known = knownLabels([...ownMetrics, ...exported]);
  const faults = asked.flatMap(({ at, expr }) =>
    readExpression(expr).selectors.flatMap((selector) =>
      unknownIn(selector, known.get(selector.metric)).map((fault) => `${at}: ${fault}`),
    ),
  );
  return [...new Set(faults)];
}

function knownLabels(exported: readonly Exported[]): ReadonlyMap<string, Labels> {
  const jobs = readJobs();
  const known = new Map<string, Labels>();
  for (const { name, labels, seriesCount, values } of exported) {
    if (seriesCount === 0) continue;
    const all: Labels = known.get(name) ?? scrapeLabels(jobs);
    known.set(name, all);
    for (const label of labels) {
      const own = values?.get(label);
      const others = all.has(label) ? all.get(label) : new Set<string>();
      all.set(label, own && others && new Set([...others, ...own]));
    }
  }
  return known;
}

/** What Prometheus itself adds to every series that it scrapes. */
function scrapeLabels(jobs: ReadonlyMap<string, readonly string[]>): Labels {
  return new Map([
    ['job', new Set(jobs.keys())],
    ['service', new Set(jobs.get('services'))],
    ['instance', undefined],
  ]);
}

function unknownIn({ metric, labels, values }: Selector, known: Labels | undefined): readonly string[] {
  if (known === undefined) return [`nobody exports ${metric}`];
  return [
    ...[...labels].filter((label) => !known.has(label)).map((label) => `${metric} has no label ${label}`),
    ...values
      .filter(({ label, value }) => known.get(label)?.has(value) === false)
      .map(({ label, value }) => `${metric} has no ${label} ${value}`),
  ];
}

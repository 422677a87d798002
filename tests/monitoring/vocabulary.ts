import type { Exported } from './exposition.ts';
import { readExpression } from './promql.ts';

/** An expression and the place that it stands in. */
export interface Asked {
  readonly at: string;
  readonly expr: string;
}

// What Prometheus itself adds to every series that it scrapes.
const scrapeLabels = ['job', 'instance', 'service'];

// What Prometheus says about its own work.
const ownMetrics: readonly Exported[] = [
  { name: 'up', labels: new Set(), seriesCount: 1 },
  { name: 'ALERTS', labels: new Set(['alertname', 'alertstate']), seriesCount: 1 },
];

/** Which metrics and labels the expressions name although nobody exports them. */
export function unknownNames(asked: readonly Asked[], exported: readonly Exported[]): readonly string[] {
  const known = new Map<string, Set<string>>();
  for (const { name, labels, seriesCount } of [...ownMetrics, ...exported]) {
    if (seriesCount === 0) continue;
    const all = known.get(name) ?? new Set(scrapeLabels);
    for (const label of labels) all.add(label);
    known.set(name, all);
  }
  const faults = new Set<string>();
  for (const { at, expr } of asked) {
    for (const { metric, labels } of readExpression(expr).selectors) {
      const has = known.get(metric);
      if (has === undefined) faults.add(`${at}: nobody exports ${metric}`);
      for (const label of labels) {
        if (has !== undefined && !has.has(label)) faults.add(`${at}: ${metric} has no label ${label}`);
      }
    }
  }
  return [...faults];
}

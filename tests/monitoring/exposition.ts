/** A metric as a process exports it. */
export interface Exported {
  readonly name: string;
  /** The labels that its series have; empty as well when there is no series yet. */
  readonly labels: ReadonlySet<string>;
  readonly seriesCount: number;
  /** The values that each label has. Without it, or without the label, nothing is known about them. */
  readonly values?: ReadonlyMap<string, ReadonlySet<string>>;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

// A value of such a form has no small set: each would be a series of its own.
const unbounded = [
  { form: /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}/i, name: 'an id' },
  { form: /\S@\S/, name: 'an address' },
  { form: /\d{9,}/, name: 'a large number' },
  { form: /.{80,}/, name: 'free text' },
];

/** Reads what `/metrics` answered, Prometheus' text format. */
export function readExposition(text: string): readonly Exported[] {
  const metrics = new Map<string, { values: Map<string, Set<string>>; seriesCount: number }>();
  const metric = (name: string) => {
    const known = metrics.get(name) ?? { values: new Map<string, Set<string>>(), seriesCount: 0 };
    metrics.set(name, known);
    return known;
  };
  for (const line of text.split('\n')) {
    const [, declared, kind] = /^# TYPE (\S+) (\S+)/.exec(line) ?? [];
    if (declared !== undefined && kind !== 'histogram' && kind !== 'summary') metric(declared);
    const [, name, labels = ''] = LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const series = metric(name);
    series.seriesCount += 1;
    for (const [, label = '', value = ''] of labels.matchAll(LABEL)) {
      series.values.set(label, (series.values.get(label) ?? new Set()).add(value));
    }
  }
  return [...metrics].map(([name, { values, seriesCount }]) => ({
    name,
    labels: new Set(values.keys()),
    seriesCount,
    values,
  }));
}

/** Where a label has values without end, such as ids, addresses or free text. */
export function unboundedLabels(text: string): readonly string[] {
  const faults = new Set<string>();
  for (const line of text.split('\n')) {
    const [, name, labels = ''] = LINE.exec(line) ?? [];
    for (const [, label = '', value = ''] of labels.matchAll(LABEL)) {
      const found = unbounded.find(({ form }) => form.test(value));
      if (found !== undefined) faults.add(`${name}{${label}} holds ${found.name}: ${value}`);
    }
  }
  return [...faults];
}

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One metric, as the code that keeps it describes it. */
interface DescribedMetric {
  readonly name: string;
  readonly kind: string;
  readonly labels: readonly string[];
  readonly help: string;
  /** Which processes show it. */
  readonly where: string;
}

const BROKER_RULES = 'infra/kafka/jmx-exporter.yaml';

// Where a metric is kept tells who shows it; the first that fits counts.
const SHOWN_BY: readonly (readonly [folder: string, where: string])[] = [
  ['apps/', ''],
  ['libs/messaging/src/kafka/', 'auditor'],
  ['libs/', 'every service'],
  ['infra/shop/', 'auditor'],
  ['infra/gateway/', 'gateway'],
];

// A metric is asked for with literals only, in this order, which lets this page be written without running anything.
const REGISTRATION = /\.(counter|gauge|histogram)(?:<[^()]*>)?\(\{/g;
const DESCRIPTION =
  /^\s*name: '([a-z0-9_]+)',\s*help: ?\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")(?:,\s*labels: \[([^\]]*)\])?/;

/** Every metric of the services, the gateway, the auditor and the brokers, sorted by name. */
function describedMetrics(root: string): readonly DescribedMetric[] {
  const files = globSync('{apps,libs,infra}/*/src/**/*.ts', { cwd: root }).filter(
    (file) => !/\.spec\.ts$|\/generated\/|\/dist\/|^libs\/observability\//.test(file),
  );
  return [...files.flatMap((file) => metricsOf(file, readFileSync(join(root, file), 'utf8'))), ...brokerMetrics(root)]
    .toSorted((a, b) => a.name.localeCompare(b.name) || a.where.localeCompare(b.where))
    .filter((metric, index, all) => metric.name !== all[index - 1]?.name || metric.where !== all[index - 1]?.where);
}

/** The table of all metrics, in Markdown. */
export function metricsTable(root: string): string {
  const rows = describedMetrics(root).map(({ name, kind, labels, where, help }) => [
    `\`${name}\``,
    kind,
    labels.map((label) => `\`${label}\``).join(', '),
    where,
    help,
  ]);
  const header = ['metric', 'kind', 'labels', 'shown by', 'meaning'];
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function metricsOf(file: string, source: string): DescribedMetric[] {
  return [...source.matchAll(REGISTRATION)].map(({ 0: opening, 1: kind = '', index }) => {
    const found = DESCRIPTION.exec(source.slice(index + opening.length));
    if (!found) {
      const line = source.slice(0, index).split('\n').length;
      throw new Error(`${file}:${line}: a metric says its name, help and labels first, each as a literal`);
    }
    const [, name = '', single, double, labels = ''] = found;
    return {
      name,
      kind,
      labels: [...labels.matchAll(/'([^']+)'/g)].map(([, label = '']) => label),
      help: (single ?? double ?? '').replaceAll('\\', ''),
      where: whereOf(file),
    };
  });
}

function whereOf(file: string): string {
  const where = SHOWN_BY.find(([folder]) => file.startsWith(folder))?.[1];
  if (where === undefined) throw new Error(`${file}: nobody said who shows the metrics of this folder`);
  return where === '' ? (file.split('/')[1] ?? '') : where;
}

/** From the rules of the JMX exporter: one list item per rule, its fields in any order. */
function brokerMetrics(root: string): DescribedMetric[] {
  const [, rules = ''] = readFileSync(join(root, BROKER_RULES), 'utf8').split(/^rules:\n/m);
  return rules.split(/^ {2}- /m).flatMap((rule) => {
    const field = (name: string) => new RegExp(`^ *${name}: (.+)$`, 'm').exec(rule)?.[1];
    const [name, help, kind] = ['name', 'help', 'type'].map(field);
    if (name === undefined || help === undefined || kind === undefined) {
      if (rule.trim() === '') return [];
      throw new Error(`${BROKER_RULES}: a rule without name, help or type:\n${rule}`);
    }
    const [, labels = ''] = rule.split(/^ *labels:\n/m);
    return {
      name,
      kind: kind.toLowerCase(),
      labels: [...labels.matchAll(/^ *(\w+):/gm)].map(([, label = '']) => label),
      help,
      where: 'brokers',
    };
  });
}

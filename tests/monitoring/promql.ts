import { parser } from '@prometheus-io/lezer-promql';

type Node = ReturnType<typeof parser.parse>['topNode'];

/** A metric that a query asks for, with the labels that it expects there. */
export interface Selector {
  readonly metric: string;
  readonly labels: ReadonlySet<string>;
  /** The values that a label must have or must not have, where they are listed: `a="b"`, `a=~"b|c"`, not `a=~"b.*"`. */
  readonly values: readonly { readonly label: string; readonly value: string }[];
}

/** What a PromQL expression says. `faults` tells where it cannot be right. */
export interface Expression {
  readonly faults: readonly string[];
  readonly selectors: readonly Selector[];
}

const GROWS = /_(total|count|sum|bucket)$/;
const RATES = new Set(['rate', 'increase', 'irate']);

// What Grafana puts in before it asks Prometheus.
const grafanaDurations = /\$\{?__(rate_interval|interval|range)\}?/g;

/** Reads an expression of a rule or a panel with Prometheus' own grammar. */
export function readExpression(text: string): Expression {
  const expr = text.replaceAll(grafanaDurations, '1m');
  const faults: string[] = [];
  const selectors: Selector[] = [];
  const textOf = (node: Node) => expr.slice(node.from, node.to);
  parser.parse(expr).iterate({
    enter({ type, node, from }) {
      if (type.isError) faults.push(`is no PromQL at character ${from}: ${expr}`);
      if (type.name === 'VectorSelector') selectors.push(selectorOf(node, textOf));
      if (type.name === 'FunctionCall') faults.push(...faultsOfCall(node, textOf));
    },
  });
  return { faults, selectors };
}

function selectorOf(node: Node, textOf: (node: Node) => string): Selector {
  const name = node.getChild('Identifier');
  const labels = new Set(namesBelow(node.getChild('LabelMatchers'), textOf));
  for (let inner = node, around = node.parent; around !== null; inner = around, around = around.parent) {
    // What stands after `and` or `unless` decides whether there is a result, and gives it no labels.
    const isCondition = (around.getChild('And') ?? around.getChild('Unless')) !== null;
    if (isCondition && around.lastChild?.from === inner.from) break;
    const by = around.getChild('AggregateModifier');
    for (const label of namesBelow(by?.getChild('GroupingLabels') ?? null, textOf)) labels.add(label);
  }
  return { metric: name === null ? '' : textOf(name), labels, values: valuesBelow(node, textOf) };
}

function valuesBelow(node: Node, textOf: (node: Node) => string): Selector['values'] {
  return all(node, 'UnquotedLabelMatcher').flatMap((matcher) => {
    const [, label = '', operator = '', text = ''] =
      /^(\w+)\s*([=!]~|!?=)\s*["'`](.*)["'`]$/.exec(textOf(matcher)) ?? [];
    const isList = /^[\w|-]+$/.test(text);
    if (operator.endsWith('~')) return isList ? text.split('|').map((value) => ({ label, value })) : [];
    return text === '' ? [] : [{ label, value: text }];
  });
}

function namesBelow(node: Node | null, textOf: (node: Node) => string): readonly string[] {
  return all(node, 'LabelName').map(textOf);
}

function faultsOfCall(node: Node, textOf: (node: Node) => string): readonly string[] {
  const called = node.getChild('FunctionIdentifier');
  const name = called === null ? '' : textOf(called);
  const metrics = all(node, 'VectorSelector').map((selector) => textOf(selector).replace(/\{.*/s, ''));
  if (RATES.has(name)) {
    return metrics
      .filter((metric) => !GROWS.test(metric))
      .map((metric) => `takes a ${name} of ${metric}, which may fall`);
  }
  if (name !== 'histogram_quantile') return [];
  const groupings = all(node, 'AggregateModifier').filter((modifier) => modifier.getChild('By') !== null);
  return [
    ...metrics
      .filter((metric) => !metric.endsWith('_bucket'))
      .map((metric) => `takes a quantile of ${metric}, which is no histogram`),
    ...groupings
      .filter((grouping) => !namesBelow(grouping, textOf).includes('le'))
      .map((grouping) => `takes a quantile ${textOf(grouping)}: without le the buckets are mixed up`),
  ];
}

function all(node: Node | null, name: string): readonly Node[] {
  const found: Node[] = [];
  node?.cursor().iterate(({ type, node: inner }) => {
    if (type.name === name) found.push(inner);
  });
  return found;
}

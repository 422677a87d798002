import { describe, expect, it } from '@jest/globals';
import { readExpression } from './promql.ts';

describe('an expression of PromQL', () => {
  it('names its metrics, with the labels that it matches and groups by, and the values that it lists', () => {
    const { faults, selectors } = readExpression(
      'sum by (topic) (rate(sent_total{group="a",topic!~"x.*",kind=~"b|c-d"}[$__rate_interval] offset 5m)) or max(waiting) by (service)',
    );
    expect(faults).toEqual([]);
    expect(selectors).toEqual([
      {
        metric: 'sent_total',
        labels: new Set(['group', 'topic', 'kind']),
        values: [
          { label: 'group', value: 'a' },
          { label: 'kind', value: 'b' },
          { label: 'kind', value: 'c-d' },
        ],
      },
      { metric: 'waiting', labels: new Set(['service']), values: [] },
    ]);
  });

  it('groups by no label of what only decides whether there is a result', () => {
    const { selectors } = readExpression('sum by (group) (sent_total and on (job) (up == 1 or max by (job) (age)))');
    expect(selectors.map(({ metric, labels }) => [metric, [...labels]])).toEqual([
      ['sent_total', ['group']],
      ['up', []],
      ['age', ['job']],
    ]);
  });

  it.each([
    ['is not finished', 'sum(up', 'is no PromQL at character 6'],
    ['names a function that does not exist', 'summe(up)', 'is no PromQL'],
    ['takes a rate of what may fall', 'rate(open_records[5m])', 'takes a rate of open_records, which may fall'],
    [
      'takes an increase of what may fall',
      'sum(increase(rows{a="b"}[5m]))',
      'takes a increase of rows, which may fall',
    ],
    [
      'mixes up the buckets of a histogram',
      'histogram_quantile(0.99, sum by (group) (rate(x_seconds_bucket[5m])))',
      'takes a quantile by (group): without le the buckets are mixed up',
    ],
    [
      'takes a quantile of what is no histogram',
      'histogram_quantile(0.99, sum by (le) (rate(x_seconds_count[5m])))',
      'takes a quantile of x_seconds_count, which is no histogram',
    ],
  ])('is refused when it %s', (_, expr, fault) => {
    expect(readExpression(expr).faults.join('\n')).toContain(fault);
  });
});

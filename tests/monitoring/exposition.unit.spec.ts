import { describe, expect, it } from '@jest/globals';
import { readExposition, unboundedLabels } from './exposition.ts';
import { unknownNames } from './vocabulary.ts';

const exposition = `
# HELP sent_total Messages sent
# TYPE sent_total counter
sent_total{topic="order.events.v1"} 3
sent_total{topic="payment.events.v1",shard="0"} 1e3
# TYPE retries_total counter
# TYPE batch_seconds histogram
batch_seconds_bucket{le="0.1",group="a"} 1
batch_seconds_bucket{le="+Inf",group="a"} 2
batch_seconds_sum{group="a"} 0.3
batch_seconds_count{group="a"} 2
# TYPE calls_total counter
calls_total{outcome="failed"} 0
calls_total{outcome="timeout"} 0
# TYPE waiting gauge
waiting NaN
`;

describe('what a process exports', () => {
  const exported = readExposition(exposition);

  it('has names, labels and a number of series', () => {
    expect(exported).toMatchObject([
      { name: 'sent_total', labels: new Set(['topic', 'shard']), seriesCount: 2 },
      { name: 'retries_total', labels: new Set(), seriesCount: 0 },
      { name: 'batch_seconds_bucket', labels: new Set(['le', 'group']), seriesCount: 2 },
      { name: 'batch_seconds_sum', labels: new Set(['group']), seriesCount: 1 },
      { name: 'batch_seconds_count', labels: new Set(['group']), seriesCount: 1 },
      { name: 'calls_total', labels: new Set(['outcome']), seriesCount: 2 },
      { name: 'waiting', labels: new Set(), seriesCount: 1 },
    ]);
  });

  it('has the values of its labels', () => {
    expect(exported[0]?.values).toEqual(
      new Map([
        ['topic', new Set(['order.events.v1', 'payment.events.v1'])],
        ['shard', new Set(['0'])],
      ]),
    );
  });

  it.each([
    'sum by (topic, service) (rate(sent_total[1m]))',
    'histogram_quantile(0.5, sum by (le, group) (rate(batch_seconds_bucket[1m])))',
    'waiting > 1 or up{job="kafka"} == 0',
    'ALERTS{alertstate="firing"}',
    'sent_total{topic=~"order.*|payment.*",topic!="order.events.v1",service=~"$service"}',
    'calls_total{outcome=~"failed|timeout",job="services",service!="gateway"}',
  ])('is enough for %s', (expr) => {
    expect(unknownNames([{ at: 'a panel', expr }], exported)).toEqual([]);
  });

  it.each([
    ['a metric that nobody exports', 'sum(rate(send_total[1m]))', 'a panel: nobody exports send_total'],
    ['a metric that has no series', 'sum(rate(retries_total[1m]))', 'a panel: nobody exports retries_total'],
    ['a label that it lacks', 'sum by (group) (sent_total)', 'a panel: sent_total has no label group'],
    ['a label that it is not matched by', 'waiting{stage="x"}', 'a panel: waiting has no label stage'],
    ['a value that it lacks', 'calls_total{outcome="late"}', 'a panel: calls_total has no outcome late'],
    [
      'one value of several that it lacks',
      'calls_total{outcome=~"failed|timeuot"}',
      'a panel: calls_total has no outcome timeuot',
    ],
    ['a job that nobody scrapes', 'up{job="kafak"}', 'a panel: up has no job kafak'],
    ['a service that does not exist', 'absent(up{service="orders"})', 'a panel: up has no service orders'],
  ])('is not enough for %s', (_, expr, fault) => {
    expect(unknownNames([{ at: 'a panel', expr }], exported)).toEqual([fault]);
  });

  it('has labels with few values', () => {
    expect(unboundedLabels(exposition)).toEqual([]);
  });

  it.each([
    ['an id', 'x{order="0199c1de-7a52-7b3c-9d62-000000000000"} 1'],
    ['an address', 'x{to="ada@example.com"} 1'],
    ['a large number', 'x{offset="1234567890"} 1'],
    ['free text', `x{error="${'something went wrong '.repeat(6)}"} 1`],
  ])('is refused with %s in a label', (what, line) => {
    expect(unboundedLabels(line).join()).toContain(`holds ${what}`);
  });
});

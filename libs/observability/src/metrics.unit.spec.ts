import { describe, expect, it } from '@jest/globals';
import { Metrics } from './metrics.ts';

describe('metrics', () => {
  it('are written in the text format of Prometheus, with those of Node', async () => {
    const metrics = new Metrics();
    metrics.counter({ name: 'orders_total', help: 'Orders', labels: ['outcome'] }).inc({ outcome: 'completed' }, 2);
    const text = await metrics.text();
    expect(metrics.contentType).toContain('text/plain; version=0.0.4');
    expect(text).toContain('orders_total{outcome="completed"} 2');
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(text).toContain('process_resident_memory_bytes');
  });

  it('are the same metric when two parts ask for one name', async () => {
    const metrics = new Metrics();
    const options = { name: 'messages_total', help: 'Messages' };
    metrics.counter(options).inc();
    metrics.counter(options).inc();
    expect(await metrics.text()).toContain('messages_total 2');
  });

  it('refuse one name for two kinds', () => {
    const metrics = new Metrics();
    metrics.counter({ name: 'lag', help: 'Lag' });
    expect(() => metrics.gauge({ name: 'lag', help: 'Lag' })).toThrow('the metric lag exists already');
  });

  it('look up a gauge at each scrape', async () => {
    const metrics = new Metrics();
    let waiting = 0;
    metrics.gauge({ name: 'outbox_rows', help: 'Rows', collect: (gauge) => gauge.set(waiting) });
    waiting = 7;
    expect(await metrics.text()).toContain('outbox_rows 7');
  });

  it('count a histogram in its own buckets', async () => {
    const metrics = new Metrics();
    metrics.histogram({ name: 'batch_seconds', help: 'Batches', buckets: [0.1, 1] }).observe(0.5);
    const text = await metrics.text();
    expect(text).toContain('batch_seconds_bucket{le="0.1"} 0');
    expect(text).toContain('batch_seconds_bucket{le="1"} 1');
  });

  it('of two processes in one are apart', async () => {
    const one = new Metrics();
    one.counter({ name: 'only_here', help: 'Here' }).inc();
    expect(await new Metrics().text()).not.toContain('only_here');
  });
});

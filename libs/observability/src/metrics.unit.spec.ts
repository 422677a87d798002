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

  it('ask for the value of a gauge at each scrape, also when two parts share it', async () => {
    const metrics = new Metrics();
    const open = { here: 0, there: 0 };
    for (const place of ['here', 'there'] as const) {
      const options = { name: 'open', help: 'Open', labels: ['place'] } as const;
      metrics.gauge<'place'>({ ...options, collect: (gauge) => gauge.set({ place }, open[place]) });
    }
    Object.assign(open, { here: 7, there: 8 });
    const text = await metrics.text();
    expect(text).toContain('open{place="here"} 7');
    expect(text).toContain('open{place="there"} 8');
  });

  it('show what was looked up, and nothing at all of what could not be', async () => {
    const metrics = new Metrics({ lookWithinMs: 50 });
    const rows = metrics.gauge({ name: 'rows', help: 'Rows' });
    let look = (): Promise<number> => Promise.resolve(3);
    metrics.lookUp({ look: () => look(), show: (found) => rows.set(found), hide: () => rows.remove() });
    expect(await metrics.text()).toMatch(/^rows 3$/m);
    look = () => Promise.reject(new Error('the database is away'));
    expect(await metrics.text()).not.toMatch(/^rows /m);
    look = () => Promise.resolve(4);
    expect(await metrics.text()).toMatch(/^rows 4$/m);
    look = () => new Promise(() => {});
    expect(await metrics.text()).not.toMatch(/^rows /m);
  });

  it('look one thing up after the other, and ask nothing more while an answer is missing', async () => {
    const metrics = new Metrics({ lookWithinMs: 50 });
    const asked: string[] = [];
    const shown: string[] = [];
    const { promise, resolve } = Promise.withResolvers<string>();
    const lookUp = (name: string, look: () => Promise<string>) =>
      metrics.lookUp({
        look: () => {
          asked.push(name);
          return look();
        },
        show: (found) => shown.push(`${name} ${found}`),
        hide: () => shown.push(`${name} hidden`),
      });
    lookUp('slow', () => promise);
    lookUp('quick', () => Promise.resolve('found'));
    await metrics.text();
    await metrics.text();
    expect(asked).toEqual(['slow']);
    expect(shown).toEqual(['slow hidden', 'quick hidden', 'slow hidden', 'quick hidden']);
    resolve('late');
    await metrics.text();
    expect(asked).toEqual(['slow', 'slow', 'quick']);
    expect(shown.slice(4)).toEqual(['slow late', 'quick found']);
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

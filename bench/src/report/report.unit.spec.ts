import { describe, expect, it } from '@jest/globals';
import type { Circumstances } from '../measure/machine.ts';
import type { SaturationRun } from '../phases/saturation.ts';
import type { Results } from '../results.ts';
import type { SystemName } from '../systems/system.ts';
import { htmlPage } from './html-page.ts';
import { performancePart } from './performance-part.ts';

const quiet: Circumstances = {
  date: '2026-11-23T06:00:00.000Z',
  commit: 'abc1234',
  cores: 2,
  cpu: 'A <fast> one',
  memoryGiB: 24,
  system: 'linux x64',
  node: 'v24.0.0',
  loadBefore: 0.1,
  isQuick: false,
};

const latency = {
  percentiles: { p50: 1, p95: 2, p99: 3, max: 4, count: 5 },
  bins: [{ upToMs: 1, count: 5 }],
};

const run = (system: SystemName, ordersPerSecond: number): SaturationRun => ({
  system,
  customers: 1,
  seconds: 2,
  ordersPerSecond,
  perSecond: [ordersPerSecond, ordersPerSecond],
  loaded: latency,
  idle: latency,
  cpuMsPerOrder: { order: 1, postgres: 2 },
  cpuMsPerOrderTotal: 3,
  idleMemoryMiB: { order: 100 },
  peakMemoryMiB: { order: 200 },
  samples: [{ atSeconds: 1, cpu: { order: 400, postgres: 500 } }],
});

const results: Results = {
  saturation: {
    circumstances: quiet,
    found: {
      runs: [run('millrace', 1200), run('baseline', 100)],
      ordersPerSecond: { millrace: 1200, baseline: 100 },
      cpuMsPerOrder: { millrace: 1, baseline: 20 },
      timesAsFast: 12,
      timesLessCpu: 20,
    },
  },
};

describe('the page of performance', () => {
  it('tells the ratio, the date and the machine', () => {
    const page = performancePart(results);
    expect(page).toContain('1200 orders per second, the baseline 100: 12 times as many');
    expect(page).toContain('Measured 2026-11-23 06:00 UTC at abc1234 on 2 cores');
    expect(page).not.toContain('not quiet');
  });

  it('says when the machine was not quiet, and when the run was a quick one', () => {
    const { found } = results.saturation ?? { found: undefined as never };
    const page = performancePart({ saturation: { circumstances: { ...quiet, loadBefore: 7, isQuick: true }, found } });
    expect(page).toContain('The minute before it was not quiet: a load average of 7');
    expect(page).toContain('A quick run');
  });

  it('is empty as long as nothing was measured', () => {
    expect(performancePart({})).toBe('');
  });
});

describe('the report', () => {
  const html = htmlPage(results);

  it('draws each chart on a canvas of its own, and loads nothing', () => {
    const canvases = html.match(/<canvas id="chart-\d+">/g) ?? [];
    const configs = JSON.parse(/const configs = (.*);\n/.exec(html)?.[1] ?? '[]') as unknown[];
    expect(canvases).toHaveLength(6);
    expect(configs).toHaveLength(6);
    expect(html).not.toMatch(/<(script|link|img)[^>]+(src|href)=/);
  });

  it('stacks the CPU time of the processes', () => {
    expect(html).toContain('CPU in use over time: baseline');
    expect(html).toContain('"stacked":true');
  });

  it('shows text as text', () => {
    expect(html).toContain('A &lt;fast&gt; one');
  });
});

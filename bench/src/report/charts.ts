import type { Bin } from '../measure/percentiles.ts';
import type { SaturationRun } from '../phases/saturation.ts';
import type { Results } from '../results.ts';

/** A chart as Chart.js takes it: plain data, drawn by the page. */
export interface Chart {
  readonly title: string;
  readonly config: {
    readonly type: 'line' | 'bar';
    readonly data: { readonly labels: readonly (string | number)[]; readonly datasets: readonly Dataset[] };
    readonly options: object;
  };
}

interface Dataset {
  readonly label: string;
  readonly data: readonly (number | null)[];
  readonly backgroundColor: string;
  readonly borderColor: string;
  readonly fill?: boolean;
  readonly pointRadius?: number;
  readonly borderWidth?: number;
}

// Told apart by most people who see colours differently: Okabe and Ito's palette, with two greys.
const COLOURS = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#d55e00',
  '#f0e442',
  '#555555',
  '#aaaaaa',
] as const;

/** All that the results have something to say about. */
export function chartsOf(results: Results): readonly Chart[] {
  const runs = results.saturation?.found.runs ?? [];
  return [
    ...(runs.length === 0 ? [] : [throughput(runs), cpuPerOrder(runs)]),
    ...runs.map(cpuOverTime),
    ...latencies(results),
    ...recovery(results),
    ...scaling(results),
    ...growth(results),
  ];
}

function throughput(runs: readonly SaturationRun[]): Chart {
  const seconds = Math.max(...runs.map(({ perSecond }) => perSecond.length));
  return lineChart(
    'Orders completed in each second, under saturation',
    Array.from({ length: seconds }, (_, index) => index + 1),
    runs.map((run, index) => [titleOf(run, runs), run.perSecond, index]),
    { x: 'second', y: 'orders' },
  );
}

function cpuPerOrder(runs: readonly SaturationRun[]): Chart {
  const names = [...new Set(runs.flatMap(({ cpuMsPerOrder }) => Object.keys(cpuMsPerOrder)))];
  return {
    title: 'CPU time per order, by process',
    config: {
      type: 'bar',
      data: {
        labels: runs.map((run) => titleOf(run, runs)),
        datasets: names.map((name, index) => ({
          label: name,
          data: runs.map(({ cpuMsPerOrder }) => cpuMsPerOrder[name] ?? null),
          ...coloured(index),
        })),
      },
      options: { indexAxis: 'y', scales: { x: axis('ms of CPU per order', true), y: { stacked: true } } },
    },
  };
}

function cpuOverTime(run: SaturationRun, _: number, runs: readonly SaturationRun[]): Chart {
  const names = Object.keys(run.cpuMsPerOrder);
  return {
    title: `CPU in use over time: ${titleOf(run, runs)}`,
    config: {
      type: 'line',
      data: {
        labels: run.samples.map(({ atSeconds }) => atSeconds),
        datasets: names.map((name, index) => ({
          label: name,
          data: run.samples.map(({ cpu }) => cpu[name] ?? null),
          ...coloured(index),
          fill: true,
          pointRadius: 0,
          borderWidth: 1,
        })),
      },
      options: { scales: { x: axis('second'), y: axis('ms of CPU per second', true) } },
    },
  };
}

function latencies(results: Results): readonly Chart[] {
  const runs = results.saturation?.found.runs ?? [];
  const firsts = runs.filter(({ system }, index) => runs.findIndex((run) => run.system === system) === index);
  const open = results['open-loop']?.found;
  return [
    ...(firsts.length === 0
      ? []
      : [
          histogram(
            'Accepted → confirmed, one order at a time',
            firsts.map(({ system, idle }) => [system, idle.bins]),
          ),
          histogram(
            'Accepted → confirmed, under saturation',
            firsts.map(({ system, loaded }) => [system, loaded.bins]),
          ),
        ]),
    ...(open === undefined
      ? []
      : [
          histogram(`Open loop at ${open.ordersPerSecond} orders/s`, [
            ['accepted → confirmed', open.acceptedToConfirmed.bins],
            ['due → confirmed', open.dueToConfirmed.bins],
          ]),
        ]),
  ];
}

function recovery(results: Results): readonly Chart[] {
  const found = results.recovery?.found;
  if (found === undefined) return [];
  const { service, outageSeconds, underWay } = found;
  return [
    lineChart(
      `Orders under way while the ${service} service is away for ${outageSeconds} s`,
      underWay.map(({ atSeconds }) => atSeconds),
      [['under way', underWay.map(({ orders }) => orders), 0]],
      { x: 'second', y: 'orders' },
    ),
  ];
}

function scaling(results: Results): readonly Chart[] {
  const found = results.scaling?.found;
  if (found === undefined) return [];
  const [first] = found.steps;
  return [
    lineChart(
      `Replicas of the ${found.service} service`,
      found.steps.map(({ replicas }) => replicas),
      [
        ['measured', found.steps.map(({ mailsPerSecond }) => mailsPerSecond), 0],
        ['perfect scaling', found.steps.map(({ replicas }) => (first?.mailsPerSecond ?? 0) * replicas), 8],
      ],
      { x: 'replicas', y: 'mails/s' },
    ),
  ];
}

function growth(results: Results): readonly Chart[] {
  const found = results.growth?.found;
  if (found === undefined) return [];
  return [
    lineChart(
      'CPU time per order, as orders in the databases grow',
      found.steps.map(({ orders }) => orders),
      [['ms of CPU per order', found.steps.map(({ cpuMsPerOrderTotal }) => cpuMsPerOrderTotal), 0]],
      { x: 'orders', y: 'ms' },
    ),
  ];
}

function lineChart(
  title: string,
  labels: readonly number[],
  lines: readonly (readonly [label: string, data: readonly number[], colour: number])[],
  axes: { readonly x: string; readonly y: string },
): Chart {
  const datasets = lines.map(([label, data, colour]) => ({ label, data, ...coloured(colour), pointRadius: 2 }));
  return {
    title,
    config: { type: 'line', data: { labels, datasets }, options: { scales: { x: axis(axes.x), y: axis(axes.y) } } },
  };
}

/** Of several series of bins; all have the same limits, but not the same first and last. */
function histogram(title: string, series: readonly (readonly [label: string, bins: readonly Bin[]])[]): Chart {
  const limits = [...new Set(series.flatMap(([, bins]) => bins.map(({ upToMs }) => upToMs)))].toSorted((a, b) => a - b);
  return {
    title,
    config: {
      type: 'bar',
      data: {
        labels: limits,
        datasets: series.map(([label, bins], index) => {
          const counts = new Map(bins.map(({ upToMs, count }) => [upToMs, count]));
          const all = bins.reduce((sum, { count }) => sum + count, 0);
          return {
            label,
            data: limits.map((limit) => ((counts.get(limit) ?? 0) / all) * 100),
            ...coloured(index),
          };
        }),
      },
      options: { scales: { x: axis('up to so many ms'), y: axis('% of the orders') } },
    },
  };
}

function titleOf(run: SaturationRun, runs: readonly SaturationRun[]): string {
  const same = runs.filter(({ system }) => system === run.system);
  return same.length === 1 ? run.system : `${run.system}, round ${same.indexOf(run) + 1}`;
}

function axis(text: string, stacked = false): object {
  return { stacked, beginAtZero: true, title: { display: true, text } };
}

function coloured(index: number): Pick<Dataset, 'backgroundColor' | 'borderColor'> {
  const colour = COLOURS[index % COLOURS.length] ?? COLOURS[0];
  return { backgroundColor: colour, borderColor: colour };
}

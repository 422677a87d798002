// What a panel says, in few words; `dashboard.ts` makes Grafana's JSON of it.

/** One query of a panel. `legend` may name labels as {{label}}. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** A value from which on a panel turns to a colour. */
export interface Step {
  readonly from: number;
  readonly color: 'green' | 'orange' | 'red';
}

interface Common {
  readonly title: string;
  /** What the panel shows, one sentence. */
  readonly tells: string;
  /** What to do when it looks wrong, one sentence. */
  readonly whenWrong: string;
  /** Grafana's name of the unit: `s`, `reqps`, `bytes`, … */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Of 24 columns. */
  readonly width: number;
  readonly steps?: readonly Step[];
  readonly max?: number;
  readonly decimals?: number;
}

export type Panel =
  | { readonly kind: 'row'; readonly title: string }
  | (Common & { readonly kind: 'lines'; readonly isStacked: boolean })
  | (Common & { readonly kind: 'figure' })
  | (Common & { readonly kind: 'bars' })
  | (Common & { readonly kind: 'table'; readonly columns: Readonly<Record<string, string>> });

type Options = Omit<Common, 'title' | 'width'> & { readonly width?: number };

/** A headline over the panels that follow. */
export const row = (title: string): Panel => ({ kind: 'row', title });

/** Lines over time; a third of the width unless told. */
export const lines = (title: string, options: Options & { readonly isStacked?: boolean }): Panel => ({
  kind: 'lines',
  title,
  width: 8,
  isStacked: false,
  ...options,
});

/** One large number per query: the newest. */
export const figure = (title: string, options: Options): Panel => ({ kind: 'figure', title, width: 4, ...options });

/** A figure that counts whole things. */
export const count = (title: string, options: Omit<Options, 'unit' | 'decimals'>): Panel =>
  figure(title, { unit: 'short', decimals: 0, ...options });

/** One horizontal bar per series: the newest value. */
export const bars = (title: string, options: Options): Panel => ({ kind: 'bars', title, width: 8, ...options });

/** One line per series: the newest values of all queries. `columns` names the labels to show, and `Value #A`, … by header. */
export const table = (
  title: string,
  options: Options & { readonly columns: Readonly<Record<string, string>> },
): Panel => ({ kind: 'table', title, width: 12, ...options });

/** Median and 99th percentile of a histogram, by one label. */
export const percentiles = (histogram: string, by: string, selector = ''): readonly Query[] =>
  [
    { quantile: '0.5', name: 'p50' },
    { quantile: '0.99', name: 'p99' },
  ].map(({ quantile, name }) => ({
    expr: `histogram_quantile(${quantile}, sum by (le, ${by}) (rate(${histogram}_bucket${selector}[$__rate_interval])))`,
    legend: `{{${by}}} ${name}`,
  }));

import { collectDefaultMetrics, Counter, Gauge, Histogram, type Metric, Registry } from 'prom-client';

export interface MetricOptions<L extends string> {
  readonly name: string;
  readonly help: string;
  /** Every combination of values is a series of its own: only values of a small, known set. */
  readonly labels?: readonly L[];
}

/**
 * The metrics of one process, with those of Node itself (memory, CPU, event-loop delay). Asking for a name again gives
 * the same metric; asking for it as another kind is an error.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly contentType: string = Registry.PROMETHEUS_CONTENT_TYPE;

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  counter<L extends string = never>(options: MetricOptions<L>): Counter<L> {
    return this.#known(options.name, Counter<L>) ?? new Counter(this.#configuration(options));
  }

  /** `collect` runs at each scrape, for a value that is cheaper to look up than to keep. */
  gauge<L extends string = never>(
    options: MetricOptions<L> & { readonly collect?: (gauge: Gauge<L>) => void | Promise<void> },
  ): Gauge<L> {
    const { collect } = options;
    return (
      this.#known(options.name, Gauge<L>) ??
      new Gauge({
        ...this.#configuration(options),
        ...(collect === undefined
          ? {}
          : {
              collect(this: Gauge<L>) {
                return collect(this);
              },
            }),
      })
    );
  }

  histogram<L extends string = never>(
    options: MetricOptions<L> & { readonly buckets: readonly number[] },
  ): Histogram<L> {
    return (
      this.#known(options.name, Histogram<L>) ??
      new Histogram({ ...this.#configuration(options), buckets: [...options.buckets] })
    );
  }

  /** Everything in Prometheus' text format, to be sent with `contentType`. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #known<M extends Metric>(name: string, kind: new (...args: never[]) => M): M | undefined {
    const known: unknown = this.#registry.getSingleMetric(name);
    if (known === undefined || known instanceof kind) return known;
    throw new Error(`the metric ${name} exists already and is not a ${kind.name}`);
  }

  #configuration<L extends string>({
    name,
    help,
    labels = [],
  }: MetricOptions<L>): {
    name: string;
    help: string;
    labelNames: L[];
    registers: Registry[];
  } {
    return { name, help, labelNames: [...labels], registers: [this.#registry] };
  }
}

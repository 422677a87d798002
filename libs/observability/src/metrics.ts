import { collectDefaultMetrics, Counter, Gauge, Histogram, type Metric, Registry } from 'prom-client';

export interface MetricOptions<L extends string> {
  readonly name: string;
  readonly help: string;
  /** Every combination of values is a series of its own: only values of a small, known set. */
  readonly labels?: readonly L[];
}

/** Something that has to be asked for at each scrape: a database, a broker. */
export interface LookUp<T> {
  readonly look: () => Promise<T>;
  /** Sets the metrics to what was found. */
  readonly show: (found: T) => void;
  /** Takes the metrics' values away: no value is better than an old one. */
  readonly hide: () => void;
}

// A scraper gives up after a few seconds, and then has nothing of the process at all.
const LOOK_WITHIN_MS = 1_000;

/**
 * The metrics of one process, with those of Node itself (memory, CPU, event-loop delay). Asking for a name again gives
 * the same metric; asking for it as another kind is an error.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #lookWithinMs: number;
  readonly #collects: (() => void)[] = [];
  readonly #lookUps: LookUp<unknown>[] = [];
  /** A look that is under way, also one that outlived its scrape. */
  #looking: Promise<unknown> | undefined;
  #writing: Promise<string> | undefined;
  readonly contentType: string = Registry.PROMETHEUS_CONTENT_TYPE;

  /** `lookWithinMs`: what all the looking up of one scrape may take together. */
  constructor({ lookWithinMs = LOOK_WITHIN_MS }: { readonly lookWithinMs?: number } = {}) {
    this.#lookWithinMs = lookWithinMs;
    collectDefaultMetrics({ register: this.#registry });
  }

  counter<L extends string = never>(options: MetricOptions<L>): Counter<L> {
    return this.#known(options.name, Counter<L>) ?? new Counter(this.#configuration(options));
  }

  /**
   * `collect` runs at each scrape, for a value that is cheaper to ask for than to keep. Everyone who asks for the gauge may bring
   * one, for series of their own.
   */
  gauge<L extends string = never>(
    options: MetricOptions<L> & { readonly collect?: (gauge: Gauge<L>) => void },
  ): Gauge<L> {
    const gauge = this.#known(options.name, Gauge<L>) ?? new Gauge(this.#configuration(options));
    const { collect } = options;
    if (collect) this.#collects.push(() => collect(gauge));
    return gauge;
  }

  histogram<L extends string = never>(
    options: MetricOptions<L> & { readonly buckets: readonly number[] },
  ): Histogram<L> {
    return (
      this.#known(options.name, Histogram<L>) ??
      new Histogram({ ...this.#configuration(options), buckets: [...options.buckets] })
    );
  }

  /**
   * Looks `lookUp` up at each scrape, one after the other. One that fails, or comes too late, is hidden until the next scrape; the
   * scrape itself does not fail.
   */
  lookUp<T>(lookUp: LookUp<T>): void {
    this.#lookUps.push(lookUp as LookUp<unknown>);
  }

  /** Everything in Prometheus' text format, to be sent with `contentType`. Several who ask at once get the same text. */
  text(): Promise<string> {
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    return this.#writing;
  }

  async #write(): Promise<string> {
    for (const collect of this.#collects) collect();
    const { promise: tooLate, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(resolve, this.#lookWithinMs, undefined);
    try {
      for (const lookUp of this.#lookUps) await this.#look(lookUp, tooLate);
    } finally {
      clearTimeout(timer);
    }
    return this.#registry.metrics();
  }

  async #look({ look, show, hide }: LookUp<unknown>, tooLate: Promise<undefined>): Promise<void> {
    // What hangs is waited for, never joined: a database in trouble is not asked twice at once.
    if (this.#looking) await Promise.race([this.#looking, tooLate]);
    if (this.#looking) return hide();
    const found = look().then(
      (value) => ({ value }),
      () => undefined,
    );
    this.#looking = found.finally(() => (this.#looking = undefined));
    const answer = await Promise.race([found, tooLate]);
    if (answer) show(answer.value);
    else hide();
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

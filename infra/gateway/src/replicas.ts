import { lookup } from 'node:dns/promises';
import type { Logger } from '@millrace/observability';

/** Finds the replicas behind an upstream, as origins such as `http://172.18.0.7:8080`. */
export type Resolve = (upstream: URL) => Promise<readonly string[]>;

/** All IPv4 addresses that the system's resolver has for the name. */
export const resolveByDns: Resolve = async (upstream) => {
  const found = await lookup(upstream.hostname, { all: true, family: 4 });
  return [...new Set(found.map(({ address }) => `http://${address}:${upstream.port || '80'}`))];
};

// A replica that starts or stops is back or gone within seconds; until then every visit to it costs a caller time.
const REST_MS = 5_000;

export interface ReplicasOptions {
  readonly upstream: URL;
  readonly resolve: Resolve;
  readonly intervalMs: number;
  readonly logger: Logger;
}

/**
 * The replicas of one API, looked up again and again. While the name cannot be resolved the last ones known are kept: a
 * name server that hiccups must not close the shop. `close` ends the looking up.
 */
export class Replicas {
  readonly #options: ReplicasOptions;
  #origins: readonly string[] = [];
  readonly #restingUntilMs = new Map<string, number>();
  #turn = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #isResolving = true;

  constructor(options: ReplicasOptions) {
    this.#options = options;
  }

  /** Resolves after the first look-up, whatever it found, and keeps looking. */
  async start(): Promise<void> {
    await this.refresh();
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.start(), this.#options.intervalMs);
  }

  async refresh(): Promise<void> {
    const { upstream, resolve, logger } = this.#options;
    try {
      const found = await resolve(upstream);
      const isNew = found.toSorted().join() !== this.#origins.toSorted().join();
      if (isNew)
        logger.info({ upstream: upstream.host, replicas: found }, `${upstream.host} has ${found.length} replica(s)`);
      this.#origins = found;
      for (const origin of this.#restingUntilMs.keys())
        if (!found.includes(origin)) this.#restingUntilMs.delete(origin);
      this.#isResolving = true;
    } catch (error) {
      if (this.#isResolving)
        logger.warn({ err: error }, `${upstream.hostname} cannot be resolved; its last known replicas are kept`);
      this.#isResolving = false;
    }
  }

  get count(): number {
    return this.#origins.length;
  }

  /** Every replica once, the one whose turn it is first. Those that rest come last: better them than nobody. */
  inTurn(): readonly string[] {
    const start = this.#turn++ % Math.max(1, this.#origins.length);
    const order = [...this.#origins.slice(start), ...this.#origins.slice(0, start)];
    const now = performance.now();
    const rests = (origin: string): boolean => (this.#restingUntilMs.get(origin) ?? 0) > now;
    return [...order.filter((origin) => !rests(origin)), ...order.filter(rests)];
  }

  /** This replica could not be reached: the others go first for a while. */
  rest(origin: string): void {
    this.#restingUntilMs.set(origin, performance.now() + REST_MS);
  }

  /** It was reached again. */
  wake(origin: string): void {
    this.#restingUntilMs.delete(origin);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}

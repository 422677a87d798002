import type { Metrics } from '@millrace/observability';
import { PermanentFailure, Unavailable } from '../handlers/failures.ts';
import { retriesOf } from './group-metrics.ts';

/** Nobody answered in time. Whether the call acted is unknown, so it is made again as after any outage. */
export class NoAnswer extends Unavailable {
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
  }
}

const OUTCOMES = ['ok', 'failed', 'refused', 'unavailable', 'timeout'] as const;
type CallOutcome = (typeof OUTCOMES)[number];

/** How the calls of one group to the outside world go. */
export class CallMetrics {
  readonly #group: string;
  readonly #seconds;
  readonly #retries;

  constructor(metrics: Metrics, group: string) {
    this.#group = group;
    this.#seconds = metrics.histogram({
      name: 'messaging_call_seconds',
      help: 'Time of a call to the outside by outcome: ok, failed, refused, unavailable or timeout',
      labels: ['group', 'outcome'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    });
    this.#retries = retriesOf(metrics);
    // A series that is born with its first event shows Prometheus no increase.
    for (const outcome of OUTCOMES) this.#seconds.zero({ group, outcome });
  }

  /** Times `call`. A call that the stopping service cut off (`isCutOff`) says nothing about the other side. */
  async timed<T>(call: () => Promise<T>, isCutOff: (error: unknown) => boolean): Promise<T> {
    const startedAt = performance.now();
    try {
      const outcome = await call();
      this.#ended(startedAt, 'ok');
      return outcome;
    } catch (error) {
      if (!isCutOff(error)) this.#ended(startedAt, outcomeOf(error));
      throw error;
    }
  }

  /** Nobody was there, and the call is made again. */
  unavailable(): void {
    this.#retries.inc({ group: this.#group, cause: 'unavailable' });
  }

  #ended(startedAt: number, outcome: CallOutcome): void {
    this.#seconds.observe({ group: this.#group, outcome }, (performance.now() - startedAt) / 1000);
  }
}

function outcomeOf(error: unknown): CallOutcome {
  if (error instanceof NoAnswer) return 'timeout';
  if (error instanceof Unavailable) return 'unavailable';
  return error instanceof PermanentFailure ? 'refused' : 'failed';
}

import { aboutMessage } from '../spans/about-message.ts';
import { endFailed, endSettled } from '../spans/settled-spans.ts';
import { SettlingMetrics } from './group-metrics.ts';
import type { Received } from './received.ts';
import type { End } from './settle-batch.ts';
import type { GroupContext } from './settlement.ts';

type Parked = End & { readonly kind: 'parked' };

/** Tells what became of the records of a committed batch: in the log, in the metrics, and on their spans. */
export class SettledReport {
  readonly #context: GroupContext;
  readonly #metrics: SettlingMetrics;

  constructor(context: GroupContext) {
    this.#context = context;
    this.#metrics = new SettlingMetrics(context.metrics, context.group);
  }

  retried(cause: 'unavailable' | 'database' | 'conflict'): void {
    this.#metrics.retried(cause);
  }

  settled(startedAt: number, ends: ReadonlyMap<Received, End>): void {
    for (const [received, end] of ends) {
      switch (end.kind) {
        case 'dead-lettered':
          this.#log('error', received, end, `dead letter: ${end.failure.error}`);
          endFailed(received, end.failure, 'dead-lettered');
          break;
        case 'parked':
          this.#parked(received, end);
          endFailed(received, end.failure, 'parked');
          break;
        case 'queued':
        case 'left':
          endSettled(received, 'parked');
          break;
        case 'duplicate':
          endSettled(received, 'duplicate');
          break;
        case 'applied':
        case 'not-heard':
          endSettled(received, 'applied');
      }
    }
    this.#metrics.settled(startedAt, ends);
  }

  #parked(received: Received, end: Parked): void {
    if (end.isHeld) {
      this.#log('error', received, end, `held after ${end.attempts} attempts: ${end.failure.error}`);
      return;
    }
    received.span?.addEvent('waits for the next try', { 'millrace.wait_ms': Math.round(end.delayMs) });
    this.#log('warn', received, end, `parked: ${end.failure.error}`);
    this.#metrics.retried(end.isUnavailable ? 'unavailable' : 'failure');
  }

  #log(
    level: 'warn' | 'error',
    { incoming, decoded, span }: Received,
    { failure, attempts, ...end }: Parked | (End & { readonly kind: 'dead-lettered' }),
    text: string,
  ): void {
    this.#context.logger[level](
      {
        group: this.#context.group,
        topic: incoming.topic,
        partition: incoming.partition,
        offset: incoming.offset,
        reason: failure.reason,
        error: failure.error,
        attempts,
        ...('delayMs' in end && !end.isHeld ? { delayMs: Math.round(end.delayMs) } : {}),
        ...(decoded.kind === 'message' ? aboutMessage(decoded.message, span) : {}),
      },
      text,
    );
  }
}

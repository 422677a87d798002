import type { OutboxBacklog } from '@millrace/messaging';
import type { Metrics } from '@millrace/observability';
import { placementsOf } from './placement-metrics.ts';

/** From which load on requests are turned away. */
export interface IntakeLimits {
  /** Messages that wait in the outbox, of all replicas together. */
  readonly outboxMessages: number;
  /** How long the oldest of them may have waited. */
  readonly outboxAgeMs: number;
  /** Requests and batches of this process that wait for a session of the database. */
  readonly poolWaiters: number;
  /** Placements of this process that are let in and not answered. */
  readonly openPlacements: number;
}

/** Why a request is turned away. */
export type TurnedAwayBecause = 'outbox-full' | 'outbox-old' | 'pool-busy' | 'too-many-waiting';

export interface TurnedAway {
  readonly because: TurnedAwayBecause;
  /** When to come again: whole seconds, at least 1. */
  readonly retryAfterSeconds: number;
}

/** What is asked for: a new order adds to the work of the whole shop, a cancellation ends some. */
export type Request = 'order' | 'cancellation';

const REASONS: Readonly<Record<Request, readonly TurnedAwayBecause[]>> = {
  order: ['outbox-full', 'outbox-old', 'pool-busy', 'too-many-waiting'],
  cancellation: ['pool-busy'],
};

// What this process alone is busy with is done within a second, or the limits are too high.
const SOON_SECONDS = 1;

// Kafka that is away for a moment is back within seconds; whoever waits for longer than a minute is better told by a person.
const AWAY_AT_LEAST_SECONDS = 5;
const AT_MOST_SECONDS = 60;

export interface IntakeOptions {
  readonly limits: IntakeLimits;
  /** What waits in the outbox as of a moment ago; undefined when that is not known. */
  readonly outbox: () => OutboxBacklog | undefined;
  readonly poolWaiters: () => number;
  /** Placements in work, also those whose callers hung up: what they left behind is still in memory. */
  readonly inWork: () => number;
  readonly metrics: Metrics;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/**
 * Decides, before a request costs anything, whether it is let in. Nothing is queued beyond the limits: whoever is turned away is told
 * so at once, and when to come again. What was accepted before is not touched by it.
 *
 * The outbox is looked at a few times a second, so it may be exceeded by what is accepted in such a moment.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #turnedAway;
  readonly #placements;
  #open = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#placements = placementsOf(options.metrics);
    this.#turnedAway = options.metrics.counter({
      name: 'order_turned_away_total',
      help: 'Requests that were answered with 503 because of a limit, by request (order or cancellation) and reason',
      labels: ['request', 'reason'],
    });
    for (const [request, reasons] of Object.entries(REASONS)) {
      for (const reason of reasons) this.#turnedAway.inc({ request, reason }, 0);
    }
    options.metrics.gauge({
      name: 'order_open_placements',
      help: 'Requests to place an order that are let in and not answered yet',
      collect: (gauge) => gauge.set(this.#open),
    });
  }

  /** Lets an order in, until `answered` is called; or says why not. */
  letIn(): TurnedAway | undefined {
    const turnedAway = this.#outboxLimit() ?? this.#processLimit();
    if (turnedAway === undefined) {
      this.#open += 1;
      return undefined;
    }
    this.#placements.inc({ outcome: 'too-busy' });
    return this.#counted('order', turnedAway);
  }

  /** An order that was let in is answered, or its caller is gone. */
  answered(): void {
    this.#open -= 1;
  }

  /**
   * Lets a cancellation in, or says why not. A full outbox is no reason: the customer may be too late in a minute, and what a
   * cancellation says is bounded by the orders that are there.
   */
  letCancel(): TurnedAway | undefined {
    const turnedAway = this.#poolLimit();
    return turnedAway && this.#counted('cancellation', turnedAway);
  }

  #outboxLimit(): TurnedAway | undefined {
    const { limits, outbox } = this.#options;
    const backlog = outbox();
    if (backlog === undefined) return undefined;
    const excess = backlog.messages - limits.outboxMessages;
    if (excess >= 0) return this.#turnAway('outbox-full', secondsUntilSent(excess + 1, backlog));
    if (backlog.oldestSeconds * 1000 < limits.outboxAgeMs) return undefined;
    return this.#turnAway('outbox-old', secondsUntilSent(backlog.messages, backlog));
  }

  #processLimit(): TurnedAway | undefined {
    const { limits, inWork } = this.#options;
    if (Math.max(this.#open, inWork()) >= limits.openPlacements)
      return this.#turnAway('too-many-waiting', SOON_SECONDS);
    return this.#poolLimit();
  }

  #poolLimit(): TurnedAway | undefined {
    const { limits, poolWaiters } = this.#options;
    return poolWaiters() >= limits.poolWaiters ? this.#turnAway('pool-busy', SOON_SECONDS) : undefined;
  }

  /** Up to half as long again, by chance: who is turned away together shall not come back together. */
  #turnAway(because: TurnedAwayBecause, seconds: number): TurnedAway {
    const { random = Math.random } = this.#options;
    const spread = seconds + random() * Math.max(1, seconds / 2);
    return { because, retryAfterSeconds: Math.min(AT_MOST_SECONDS, Math.max(1, Math.round(spread))) };
  }

  #counted(request: Request, turnedAway: TurnedAway): TurnedAway {
    this.#turnedAway.inc({ request, reason: turnedAway.because });
    return turnedAway;
  }
}

/**
 * How long until so many messages are sent: at the speed of the last seconds. While nothing is sent, an outage that has lasted for
 * some time is taken to last as long again.
 */
function secondsUntilSent(messages: number, { oldestSeconds, shrinksPerSecond }: OutboxBacklog): number {
  if (shrinksPerSecond > 0) return messages / shrinksPerSecond;
  return Math.max(AWAY_AT_LEAST_SECONDS, oldestSeconds);
}

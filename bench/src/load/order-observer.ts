import { headerNames, textOf } from '@millrace/contracts';
import { type Consumer, createKafka } from '@millrace/messaging/kafka';
import { createLogger } from '@millrace/observability';
import type { Milestone, System } from '../systems/system.ts';

export type Ending = 'completed' | 'cancelled';

/** What became of an order; all resolve to the moment at which it could be read, as `performance.now()` tells it. */
export interface Followed {
  /** An order that ends without a confirmation never resolves it. */
  readonly confirmed: Promise<number>;
  /** It is on its way, whatever its customer was told. */
  readonly shipped: Promise<number>;
  readonly ended: Promise<{ readonly how: Ending; readonly atMs: number }>;
}

type Reached = Exclude<Milestone, 'told'>;

interface Trail {
  readonly seen: Map<Reached, number>;
  told: number;
  onMilestone: ((milestone: Reached, atMs: number) => void) | undefined;
}

// "We have your order" and "your parcel is on its way".
const MAILS_PER_ORDER = 2;

/** Sees orders from outside: reads their events from Kafka, as any other service would. */
export class OrderObserver {
  readonly #consumer: Consumer;
  readonly #system: System;
  readonly #trails = new Map<string, Trail>();
  /** Orders that reached each milestone since the observer was started. */
  readonly reached: Record<Reached, number> = { confirmed: 0, shipped: 0, completed: 0, cancelled: 0 };

  constructor(system: System) {
    this.#system = system;
    const logger = createLogger({ service: 'bench', level: 'silent' });
    this.#consumer = createKafka({ brokers: system.brokers, clientId: 'bench', logger }).consumer({
      groupId: `bench.observer.${process.pid}.${Date.now()}`,
      maxWaitTimeInMs: 200,
      heartbeatInterval: 500,
    });
  }

  /** Resolves when it reads: what is said from now on is seen. */
  async start(): Promise<void> {
    const { topics, milestoneOf } = this.#system.events;
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...topics], fromBeginning: false });
    const joined = new Promise<void>((resolve) => void this.#consumer.on(this.#consumer.events.FETCH, () => resolve()));
    await this.#consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: 6,
      eachMessage: ({ topic, message: { key, headers } }) => {
        const milestone = milestoneOf(topic, textOf(headers?.[headerNames.type]));
        if (milestone !== undefined) this.#see(String(key), milestone);
        return Promise.resolve();
      },
    });
    await joined;
  }

  async stop(): Promise<void> {
    await this.#consumer.disconnect();
  }

  /** Once per order, also when its events were faster than the answer that tells its id. */
  follow(orderId: string): Followed {
    const confirmed = Promise.withResolvers<number>();
    const shipped = Promise.withResolvers<number>();
    const ended = Promise.withResolvers<{ how: Ending; atMs: number }>();
    const tell = (milestone: Reached, atMs: number): void => {
      if (milestone === 'confirmed') confirmed.resolve(atMs);
      else if (milestone === 'shipped') shipped.resolve(atMs);
      else ended.resolve({ how: milestone, atMs });
    };
    const trail = this.#trailOf(orderId);
    for (const [milestone, atMs] of trail.seen) tell(milestone, atMs);
    trail.onMilestone = tell;
    this.#forgetIfDone(orderId, trail);
    return { confirmed: confirmed.promise, shipped: shipped.promise, ended: ended.promise };
  }

  #see(orderId: string, milestone: Milestone): void {
    const trail = this.#trailOf(orderId);
    if (milestone === 'told') trail.told += 1;
    else this.#reach(orderId, trail, milestone);
    if (trail.seen.has('shipped') && trail.told >= MAILS_PER_ORDER) this.#reach(orderId, trail, 'completed');
  }

  #reach(orderId: string, trail: Trail, milestone: Reached): void {
    // What comes twice is for the books to find.
    if (trail.seen.has(milestone)) return;
    const atMs = performance.now();
    trail.seen.set(milestone, atMs);
    this.reached[milestone] += 1;
    trail.onMilestone?.(milestone, atMs);
    this.#forgetIfDone(orderId, trail);
  }

  #trailOf(orderId: string): Trail {
    let trail = this.#trails.get(orderId);
    if (trail === undefined) {
      trail = { seen: new Map(), told: 0, onMilestone: undefined };
      this.#trails.set(orderId, trail);
    }
    return trail;
  }

  /** Where the events of an order lie in several topics, its end may be read before its confirmation. */
  #forgetIfDone(orderId: string, { seen, onMilestone }: Trail): void {
    const isDone = seen.has('cancelled') || (seen.has('confirmed') && seen.has('completed'));
    if (isDone && onMilestone !== undefined) this.#trails.delete(orderId);
  }
}

import { headerNames, OrderCancelled, OrderCompleted, OrderConfirmed, textOf, topics } from '@millrace/contracts';
import type { Consumer, Kafka } from '@millrace/messaging/kafka';

/** Sees orders from outside: reads their events from Kafka, as any other service would. */
export class OrderObserver {
  readonly #consumer: Consumer;
  readonly #confirmed = new Map<string, () => void>();
  readonly #ended = new Map<string, (how: 'completed' | 'cancelled') => void>();
  readonly #early = new Map<string, Set<string>>();
  completed = 0;
  cancelled = 0;

  constructor(kafka: Kafka) {
    this.#consumer = kafka.consumer({
      groupId: `bench.observer.${process.pid}`,
      maxWaitTimeInMs: 200,
      heartbeatInterval: 500,
    });
  }

  async start(): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [topics.orderEvents.name], fromBeginning: false });
    const joined = new Promise<void>((resolve) => void this.#consumer.on(this.#consumer.events.FETCH, () => resolve()));
    await this.#consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: topics.orderEvents.partitions,
      eachMessage: ({ message: { key, headers } }) => {
        this.#see(String(key), textOf(headers?.[headerNames.type]));
        return Promise.resolve();
      },
    });
    await joined;
  }

  async stop(): Promise<void> {
    await this.#consumer.disconnect();
  }

  /** Resolves when the order's confirmation can be read; an order may also end without one. */
  confirmation(orderId: string): Promise<void> {
    return new Promise((resolve) => this.#when(this.#confirmed, orderId, OrderConfirmed.wireType, resolve));
  }

  /** Resolves when the order's end can be read. */
  end(orderId: string): Promise<'completed' | 'cancelled'> {
    return new Promise((resolve) => {
      const seen = this.#early.get(orderId);
      if (seen?.has(OrderCompleted.wireType) || seen?.has(OrderCancelled.wireType)) {
        this.#early.delete(orderId);
        resolve(seen.has(OrderCompleted.wireType) ? 'completed' : 'cancelled');
      } else this.#ended.set(orderId, resolve);
    });
  }

  #when(waiting: Map<string, () => void>, orderId: string, wireType: string, resolve: () => void): void {
    if (this.#early.get(orderId)?.has(wireType)) resolve();
    else waiting.set(orderId, resolve);
  }

  #see(orderId: string, wireType: string | undefined): void {
    if (wireType === OrderConfirmed.wireType) this.#tell(this.#confirmed, orderId, wireType, undefined as never);
    if (wireType === OrderCompleted.wireType) {
      this.completed += 1;
      this.#tell(this.#ended, orderId, wireType, 'completed');
    }
    if (wireType === OrderCancelled.wireType) {
      this.cancelled += 1;
      this.#tell(this.#ended, orderId, wireType, 'cancelled');
    }
  }

  #tell<T>(waiting: Map<string, (value: T) => void>, orderId: string, wireType: string, value: T): void {
    const resolve = waiting.get(orderId);
    if (resolve) {
      waiting.delete(orderId);
      resolve(value);
      return;
    }
    // The event was faster than the answer of the HTTP call that tells its order id.
    const seen = this.#early.get(orderId);
    if (seen) seen.add(wireType);
    else this.#early.set(orderId, new Set([wireType]));
  }
}

import type { Kafka } from '../kafka/client.ts';
import { LoneConsumer } from '../kafka/lone-consumer.ts';
import { placeOf } from '../kafka/place-of.ts';
import type { Incoming } from '../runtime/incoming.ts';

/** Where reading begins. */
export interface Start {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

export interface LogFollowerOptions {
  readonly kafka: Kafka;
  /** As in `MessagingOptions`; the names of topics given and told are without it. */
  readonly topicPrefix: string;
  readonly starts: readonly Start[];
  /** Gets each record from its start on. */
  readonly onRecord: (record: Incoming) => void;
}

// A join and a fetch take milliseconds. Whoever reads this slowly is being told nothing.
const STALLED_AFTER_MS = 10_000;

// How long the broker may hold a fetch that finds nothing: also how soon something new is seen in the worst case.
const FETCH = { maxWaitTimeInMs: 100 };

const LOOK_EVERY_MS = 500;

// Whoever reads waits: a leader that moved is found at the second try.
const RETRIES = 3;

/**
 * Reads partitions from chosen offsets to their ends, and on as they grow. Commits nothing, and disturbs no group: its own is gone when
 * it is closed. Each record is handed over once, in order within its partition.
 */
export class LogFollower {
  readonly #topicPrefix: string;
  readonly #admin: ReturnType<Kafka['admin']>;
  readonly #consumer: LoneConsumer;
  readonly #next: Map<string, bigint>;
  readonly #topics: readonly string[];
  readonly #waiting = new Set<() => void>();
  #failure: Error | undefined;

  private constructor({ kafka, topicPrefix, starts, onRecord }: LogFollowerOptions) {
    this.#topicPrefix = topicPrefix;
    this.#topics = [...new Set(starts.map(({ topic }) => topic))];
    this.#next = new Map(starts.map(({ topic, partition, offset }) => [placeOf(topic, partition), offset]));
    this.#admin = kafka.admin();
    this.#consumer = new LoneConsumer({
      kafka,
      topicPrefix,
      topics: this.#topics,
      groupPrefix: 'millrace.reader.',
      fetch: FETCH,
      retries: RETRIES,
      nextOf: (topic, partition) => this.#next.get(placeOf(topic, partition)),
      onFetched: ({ topic, partition, records, end }) => {
        const place = placeOf(topic, partition);
        for (const record of records) {
          const next = this.#next.get(place);
          if (next === undefined || BigInt(record.offset) < next) continue;
          this.#next.set(place, BigInt(record.offset) + 1n);
          onRecord(record);
        }
        this.#reached(place, end);
        this.#wake();
      },
      onCrash: (error) => this.#fail(error),
    });
  }

  /** Begins to read. The caller closes it. */
  static async open(options: LogFollowerOptions): Promise<LogFollower> {
    const follower = new LogFollower(options);
    try {
      await follower.#admin.connect();
      if (follower.#topics.length > 0) await follower.#consumer.run();
      return follower;
    } catch (error) {
      await follower.close();
      throw error;
    }
  }

  /**
   * Resolves when everything that the logs hold at this moment has been handed over, of one topic if one is named. Answers where they
   * begin now, by `topic/partition`: what came before is gone.
   * @throws {Error} the brokers hand out nothing for `withinMs`.
   */
  async catchUp({
    topic: only,
    withinMs = STALLED_AFTER_MS,
  }: { readonly topic?: string; readonly withinMs?: number } = {}): Promise<ReadonlyMap<string, bigint>> {
    const lows = new Map<string, bigint>();
    const targets = new Map<string, bigint>();
    const look = async (): Promise<void> => {
      // One after the other: asked for two topics at once, kafkajs may look for the second in metadata of the first.
      for (const topic of this.#topics) {
        if (only !== undefined && only !== topic) continue;
        for (const { partition, low, high } of await this.#admin.fetchTopicOffsets(this.#topicPrefix + topic)) {
          const place = placeOf(topic, partition);
          if (!this.#next.has(place)) continue;
          lows.set(place, BigInt(low));
          // What retention took away meanwhile will not come.
          this.#reached(place, BigInt(low));
          if (!targets.has(place)) targets.set(place, BigInt(high));
        }
      }
    };
    await look();
    const isThere = (): boolean => [...targets].every(([place, high]) => (this.#next.get(place) ?? high) >= high);
    let progress = this.#progress();
    for (let quietSince = performance.now(); !isThere();) {
      if (this.#failure !== undefined) throw this.#failure;
      if (!(await this.#wokenWithin(LOOK_EVERY_MS))) await look();
      if (this.#progress() !== progress) {
        progress = this.#progress();
        quietSince = performance.now();
      } else if (performance.now() - quietSince > withinMs) {
        throw new Error(`Kafka handed out nothing for ${withinMs / 1000} s, although there is more to read.`);
      }
    }
    return lows;
  }

  async close(): Promise<void> {
    await this.#consumer.disconnect();
    if (this.#topics.length > 0) await this.#admin.deleteGroups([this.#consumer.groupId]).catch(() => undefined);
    await this.#admin.disconnect().catch(() => undefined);
  }

  #progress(): bigint {
    return [...this.#next.values()].reduce((sum, next) => sum + next, 0n);
  }

  #reached(place: string, offset: bigint): void {
    const next = this.#next.get(place);
    if (next !== undefined && next < offset) this.#next.set(place, offset);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  async #wokenWithin(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const wake = (): void => resolve(true);
    const timer = setTimeout(() => resolve(false), ms);
    this.#waiting.add(wake);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(wake);
    }
  }
}

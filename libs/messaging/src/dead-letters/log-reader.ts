import { randomUUID } from 'node:crypto';
import { type Consumer, type Kafka, RETRY } from '../kafka/client.ts';
import { placeOf } from '../kafka/place-of.ts';
import type { LetterRecord } from './letter.ts';

/** Where reading begins. Topics are named as the broker knows them. */
export interface Start {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

// A join and a fetch take milliseconds. Whoever reads this slowly is being told nothing.
const STALLED_AFTER_MS = 10_000;

// How long the broker may hold a fetch that finds nothing: also how soon something new is seen in the worst case.
const MAX_WAIT_MS = 100;

const LOOK_EVERY_MS = 500;

// Whoever reads waits: a leader that moved is found at the second try.
const RETRIES = 3;

/**
 * Reads partitions from chosen offsets to their ends, and on as they grow. Commits nothing, and disturbs no group: its own is gone when
 * it is closed. Each record is handed over once, in order within its partition.
 */
export class LogReader {
  readonly #admin: ReturnType<Kafka['admin']>;
  readonly #consumer: Consumer;
  readonly #groupId: string;
  readonly #next: Map<string, bigint>;
  readonly #starts: readonly Start[];
  readonly #waiting = new Set<() => void>();
  #failure: Error | undefined;

  private constructor(kafka: Kafka, starts: readonly Start[]) {
    this.#groupId = `millrace.reader.${randomUUID()}`;
    this.#admin = kafka.admin();
    this.#consumer = kafka.consumer({
      groupId: this.#groupId,
      maxWaitTimeInMs: MAX_WAIT_MS,
      allowAutoTopicCreation: false,
      retry: { ...RETRY, retries: RETRIES, restartOnFailure: () => Promise.resolve(false) },
    });
    this.#starts = starts;
    this.#next = new Map(starts.map(({ topic, partition, offset }) => [placeOf(topic, partition), offset]));
  }

  /** Begins to read. `onRecord` gets each record from its start on. The caller closes it. */
  static async open(
    kafka: Kafka,
    starts: readonly Start[],
    onRecord: (topic: string, record: LetterRecord) => void,
  ): Promise<LogReader> {
    const reader = new LogReader(kafka, starts);
    try {
      await reader.#open(onRecord);
      return reader;
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  async #open(onRecord: (topic: string, record: LetterRecord) => void): Promise<void> {
    await this.#admin.connect();
    if (this.#starts.length === 0) return;
    const consumer = this.#consumer;
    const topics = [...new Set(this.#starts.map(({ topic }) => topic))];
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.#goWhereWanted(payload.memberAssignment));
    consumer.on(consumer.events.CRASH, ({ payload }) => this.#fail(payload.error));
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: 8,
      eachBatch: ({ batch }) => {
        const place = placeOf(batch.topic, batch.partition);
        for (const { offset, timestamp, key, value, headers = {} } of batch.messages) {
          const next = this.#next.get(place);
          if (next === undefined || BigInt(offset) < next) continue;
          this.#next.set(place, BigInt(offset) + 1n);
          onRecord(batch.topic, {
            partition: batch.partition,
            offset,
            timestampMs: Number(timestamp),
            key,
            value,
            headers,
          });
        }
        this.#reached(place, BigInt(batch.lastOffset()) + 1n);
        this.#wake();
        return Promise.resolve();
      },
    });
  }

  /** A partition goes on where it was left; those that nobody asked for stay unread. */
  #goWhereWanted(assignment: Record<string, number[]>): void {
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) {
        const next = this.#next.get(placeOf(topic, partition));
        if (next === undefined) this.#consumer.pause([{ topic, partitions: [partition] }]);
        else this.#consumer.seek({ topic, partition, offset: String(next) });
      }
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
      for (const topic of new Set(this.#starts.map((start) => start.topic))) {
        if (only !== undefined && only !== topic) continue;
        for (const { partition, low, high } of await this.#admin.fetchTopicOffsets(topic)) {
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
    await this.#consumer.disconnect().catch(() => undefined);
    if (this.#starts.length > 0) await this.#admin.deleteGroups([this.#groupId]).catch(() => undefined);
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

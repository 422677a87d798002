import type { Database } from '@millrace/database';
import type { Logger } from '@millrace/observability';
import type { Kafka } from '../kafka/client.ts';
import { placeOf } from '../kafka/place-of.ts';
import type { Offsets } from './backlog.ts';
import { beginPositions, heldBack, LogMoved, lookAfterLog } from './replay-positions.ts';
import { ReplayReader } from './replay-reader.ts';
import { type ReplayContext, ShadowBatches } from './shadow-batch.ts';
import type { LiveTable } from './shadow-schema.ts';

// One transaction for this many records: nobody waits for a shadow, but the live projections share this process.
const MAX_BATCH_SIZE = 1000;

export interface ShadowFollowerOptions {
  readonly database: Database;
  readonly kafka: Kafka;
  readonly topicPrefix: string;
  readonly logger: Logger;
  readonly context: ReplayContext;
  readonly from: Date | undefined;
  readonly tables: readonly LiveTable[];
}

/** Takes a shadow from where it stands on towards the live projection, never past it. Whoever opened it closes it. */
export class ShadowFollower {
  readonly #options: ShadowFollowerOptions;
  readonly #reader: ReplayReader;
  readonly #batches: ShadowBatches;
  readonly #begins: Offsets;
  readonly #positions: Map<string, bigint>;

  private constructor(
    options: ShadowFollowerOptions,
    batches: ShadowBatches,
    { begins, positions }: { readonly begins: Offsets; readonly positions: Offsets },
  ) {
    this.#options = options;
    this.#batches = batches;
    this.#begins = begins;
    this.#positions = new Map(positions);
    const { kafka, logger, topicPrefix, context } = options;
    this.#reader = new ReplayReader({
      kafka,
      logger,
      topicPrefix,
      projection: context.projection,
      from: this.#positions,
    });
  }

  /** Makes the shadow where there is none yet, and begins to read. */
  static async open(options: ShadowFollowerOptions): Promise<ShadowFollower> {
    const { database, context } = options;
    const begun = await beginPositions(database, options);
    const batches = new ShadowBatches(database, context, await heldBack(database, context));
    const follower = new ShadowFollower(options, batches, begun);
    follower.#reader.start();
    return follower;
  }

  /** Why nothing arrives at present; undefined when it may. */
  get problem(): string | undefined {
    return this.#reader.problem;
  }

  /** Applies what was fetched and lies before the live positions, up to one batch. Answers whether there was anything. */
  async applyNext(live: Offsets): Promise<boolean> {
    const taken = this.#reader.take(live, MAX_BATCH_SIZE, this.#positions);
    if (taken.passed.length === 0) return false;
    await this.#batches.apply(taken);
    this.#reader.done(taken);
    for (const { topic, partition, next } of taken.passed) this.#positions.set(placeOf(topic, partition), next);
    return true;
  }

  /**
   * How many offsets the shadow has passed, and how many lie between it and the live projection.
   * @throws {LogMoved} the live projection reads partitions that were not there when the reading began.
   */
  distance(live: Offsets): { readonly passed: bigint; readonly behind: bigint } {
    if ([...live.keys()].some((place) => !this.#positions.has(place))) throw new LogMoved('a topic has grown');
    let [behind, passed] = [0n, 0n];
    for (const [place, position] of this.#positions) {
      passed += position - (this.#begins.get(place) ?? position);
      const ahead = (live.get(place) ?? 0n) - position;
      if (ahead > 0n) behind += ahead;
    }
    return { passed, behind };
  }

  /** Resolves when something arrived or `wake` was called, at the latest after `ms`. */
  more(ms: number): Promise<void> {
    return this.#reader.more(ms);
  }

  wake(): void {
    this.#reader.wake();
  }

  /** As `lookAfterLog`. */
  lookAfterLog(): Promise<void> {
    return lookAfterLog(this.#reader, { ...this.#options, positions: this.#positions });
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }
}

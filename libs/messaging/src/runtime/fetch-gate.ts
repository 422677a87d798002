import type { Logger } from '@millrace/observability';
import type { Consumer } from '../kafka/client.ts';
import type { Load, OffsetTracker } from './offset-tracker.ts';

// Records of a group that may wait in memory. At 1 KiB each that is 4 MiB.
const HIGH_WATER_MARK = 4000;

// The same for records that are larger than usual.
const HIGH_WATER_BYTES = 16 * 1024 * 1024;

/**
 * Why nothing is fetched: the worker cannot work at present, the member does not know yet where to go on, it stops, or it is dead.
 * Any number of them may hold at once.
 */
export type HoldReason = 'outage' | 'positions' | 'stopping' | 'dead';

/** As `HoldReason`; `high-water`: as much of this partition waits in memory as may. */
export type PauseReason = HoldReason | 'high-water';

export const PAUSE_REASONS: readonly PauseReason[] = ['high-water', 'outage', 'positions', 'stopping', 'dead'];

interface Partition {
  /** With the prefix of a test. */
  readonly topic: string;
  /** As the tracker knows it. */
  readonly name: string;
  readonly partition: number;
  isFull: boolean;
  isPaused: boolean;
}

/**
 * Decides what is fetched. A paused partition stays with its member: the client goes on with its heartbeats.
 *
 * Memory has one mark for the whole group, and a partition is paused when it holds as much as is left below the mark. So one
 * partition with a deep backlog fills half and leaves the other half to the rest; many deep ones share evenly; and however
 * many there are, a quiet one still has room. It goes on when it holds half as much as is left.
 */
export class FetchGate {
  readonly #tracker: OffsetTracker;
  readonly #consumer: () => Consumer | undefined;
  readonly #logger: Logger;
  readonly #topicPrefix: string;
  readonly #reasons = new Set<HoldReason>();
  #partitions: readonly Partition[] = [];

  constructor(options: {
    readonly tracker: OffsetTracker;
    /** The client of the moment; undefined while there is none. */
    readonly consumer: () => Consumer | undefined;
    readonly logger: Logger;
    readonly topicPrefix: string;
  }) {
    this.#tracker = options.tracker;
    this.#consumer = options.consumer;
    this.#logger = options.logger;
    this.#topicPrefix = options.topicPrefix;
  }

  /** A new assignment. The client may remember pauses of an earlier one, so each partition is told anew. */
  assign(assignment: readonly { readonly topic: string; readonly partitions: readonly number[] }[]): void {
    const isPaused = this.#reasons.size > 0;
    this.#partitions = assignment.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => {
        const name = topic.slice(this.#topicPrefix.length);
        return { topic, name, partition, isFull: false, isPaused };
      }),
    );
    this.#tell(this.#partitions, isPaused);
  }

  /** Nothing is fetched until `release`. */
  hold(reason: HoldReason): void {
    this.#reasons.add(reason);
    this.#apply();
  }

  release(reason: HoldReason): void {
    if (this.#reasons.delete(reason)) this.#apply();
  }

  /** What is open has changed: some partitions may have to wait, or may go on. */
  look(): void {
    for (const partition of this.#partitions) {
      const open = this.#tracker.openOf(partition.name, partition.partition);
      partition.isFull = fills(open, this.#tracker.open, partition.isFull);
    }
    this.#apply();
  }

  /** How many of its partitions a member fetches nothing of, for this reason. */
  paused(reason: PauseReason): number {
    if (reason !== 'high-water') return this.#reasons.has(reason) ? this.#partitions.length : 0;
    return this.#partitions.filter(({ isFull }) => isFull).length;
  }

  #apply(): void {
    const isHeld = this.#reasons.size > 0;
    const changed = this.#partitions.filter(({ isFull, isPaused }) => (isHeld || isFull) !== isPaused);
    for (const partition of changed) partition.isPaused = !partition.isPaused;
    this.#tell(
      changed.filter(({ isPaused }) => isPaused),
      true,
    );
    this.#tell(
      changed.filter(({ isPaused }) => !isPaused),
      false,
    );
  }

  /** Does nothing between a crash and the restart, when kafkajs has no group: the next assignment sets it right. */
  #tell(partitions: readonly Partition[], isPaused: boolean): void {
    if (partitions.length === 0) return;
    const named = partitions.map(({ topic, partition }) => ({ topic, partitions: [partition] }));
    try {
      if (isPaused) this.#consumer()?.pause(named);
      else this.#consumer()?.resume(named);
    } catch (error) {
      this.#logger.debug({ err: error }, 'no group to pause or resume');
    }
  }
}

/** Whether a partition holds its share; one that is paused goes on only when there is room for a while. */
function fills(own: Load, all: Load, isPaused: boolean): boolean {
  const records = HIGH_WATER_MARK - all.records;
  const bytes = HIGH_WATER_BYTES - all.bytes;
  return isPaused ? own.records > records / 2 || own.bytes > bytes / 2 : own.records >= records || own.bytes >= bytes;
}

import { placeOf } from '../kafka/place-of.ts';
import type { Incoming } from './incoming.ts';

/** A record that was received under the present assignment. */
export interface Tracked {
  readonly incoming: Incoming;
  /** In milliseconds since 1970. */
  readonly receivedAtMs: number;
  isDone: boolean;
}

/** Records in memory, and what their values weigh. */
export interface Load {
  readonly records: number;
  readonly bytes: number;
}

const NOTHING: Load = { records: 0, bytes: 0 };

interface Lane {
  readonly topic: string;
  readonly partition: number;
  readonly pending: Tracked[];
  bytes: number;
  /** The offset after the last record of an unbroken run of done ones. */
  next: string | undefined;
  committed: string | undefined;
}

/**
 * Knows how far each partition is done without a gap, also when records are done out of order. What was tracked before a
 * rebalance no longer counts: its partitions may belong to others, and what stays is delivered again.
 */
export class OffsetTracker {
  #lanes = new Map<string, Lane>();
  #open = 0;
  #openBytes = 0;

  /** Records received and not done, or done behind one that is not; with what their values weigh. */
  get open(): Load {
    return { records: this.#open, bytes: this.#openBytes };
  }

  /** As `open`, of one partition. */
  openOf(topic: string, partition: number): Load {
    const lane = this.#lanes.get(placeOf(topic, partition));
    return lane === undefined ? NOTHING : { records: lane.pending.length, bytes: lane.bytes };
  }

  /** When the longest open record was received, in milliseconds since 1970; undefined when none is open. */
  get oldestReceivedAtMs(): number | undefined {
    let oldest: number | undefined;
    for (const { pending } of this.#lanes.values()) {
      const first = pending[0]?.receivedAtMs;
      if (first !== undefined && (oldest === undefined || first < oldest)) oldest = first;
    }
    return oldest;
  }

  /** All before `next` was done earlier, whether that was ever committed or not. */
  goOn(topic: string, partition: number, next: string): void {
    this.#lane(topic, partition).next = next;
  }

  track(incoming: Incoming, receivedAtMs = Date.now()): Tracked {
    const lane = this.#lane(incoming.topic, incoming.partition);
    const tracked = { incoming, receivedAtMs, isDone: false };
    lane.pending.push(tracked);
    this.#open += 1;
    lane.bytes += bytesOf(incoming);
    this.#openBytes += bytesOf(incoming);
    return tracked;
  }

  /** Marks records as done. Ones of an earlier assignment are passed over. */
  done(records: Iterable<Tracked>): void {
    const touched = new Set<Lane>();
    for (const record of records) {
      record.isDone = true;
      const lane = this.#lanes.get(placeOf(record.incoming.topic, record.incoming.partition));
      if (lane) touched.add(lane);
    }
    for (const lane of touched) {
      const firstOpen = lane.pending.findIndex(({ isDone }) => !isDone);
      const finished = lane.pending.splice(0, firstOpen === -1 ? lane.pending.length : firstOpen);
      const last = finished.at(-1);
      if (last) lane.next = (BigInt(last.incoming.offset) + 1n).toString();
      const bytes = finished.reduce((sum, { incoming }) => sum + bytesOf(incoming), 0);
      this.#open -= finished.length;
      lane.bytes -= bytes;
      this.#openBytes -= bytes;
    }
  }

  /** The offsets to commit: of partitions that moved since `committed` was told. */
  committable(): readonly { topic: string; partition: number; offset: string }[] {
    return [...this.#lanes.values()].flatMap(({ topic, partition, next, committed }) =>
      next === undefined || next === committed ? [] : [{ topic, partition, offset: next }],
    );
  }

  committed(offsets: readonly { topic: string; partition: number; offset: string }[]): void {
    for (const { topic, partition, offset } of offsets) {
      const lane = this.#lanes.get(placeOf(topic, partition));
      if (lane) lane.committed = offset;
    }
  }

  /** A new assignment: everything is delivered again from what was committed. */
  reset(): void {
    this.#lanes = new Map();
    this.#open = 0;
    this.#openBytes = 0;
  }

  #lane(topic: string, partition: number): Lane {
    const name = placeOf(topic, partition);
    const known = this.#lanes.get(name);
    if (known) return known;
    const lane = { topic, partition, pending: [], bytes: 0, next: undefined, committed: undefined };
    this.#lanes.set(name, lane);
    return lane;
  }
}

function bytesOf({ value }: Incoming): number {
  return value?.length ?? 0;
}

import { placeOf } from '../kafka/place-of.ts';
import type { Incoming } from '../runtime/incoming.ts';

// Records that wait in memory, per partition: what is fetched stops above it and goes on below half of it.
const MAX_WAITING = 2000;
const MAX_WAITING_BYTES = 512 * 1024;

/** Offsets by `topic/partition`. */
export type Offsets = ReadonlyMap<string, bigint>;

/** What was fetched of one partition and not yet handed on. */
export interface Lane {
  readonly topic: string;
  readonly partition: number;
  readonly waiting: Incoming[];
  bytes: number;
  /** The offset from which on nothing was fetched yet. */
  fetchedTo: bigint;
  isPaused: boolean;
}

/** How far one partition was handed on, and how many offsets on the way had no record. */
export interface Passed {
  readonly topic: string;
  readonly partition: number;
  readonly next: bigint;
  readonly missing: bigint;
}

export interface Taken {
  /** Oldest first, in order per partition. */
  readonly records: readonly Incoming[];
  readonly passed: readonly Passed[];
}

/** Records between Kafka and a shadow: fetched ahead, handed on up to limits, bounded per partition. */
export class Backlog {
  readonly #lanes = new Map<string, Lane>();

  /** `from`: where each partition begins, by `topic/partition`. */
  constructor(from: Offsets) {
    for (const [place, offset] of from) {
      const slash = place.lastIndexOf('/');
      const [topic, partition] = [place.slice(0, slash), Number(place.slice(slash + 1))];
      this.#lanes.set(place, { topic, partition, waiting: [], bytes: 0, fetchedTo: offset, isPaused: false });
    }
  }

  get topics(): readonly string[] {
    return [...new Set([...this.#lanes.values()].map(({ topic }) => topic))];
  }

  get lanes(): Iterable<Lane> {
    return this.#lanes.values();
  }

  lane(topic: string, partition: number): Lane | undefined {
    return this.#lanes.get(placeOf(topic, partition));
  }

  /** Adds what was fetched; records that are there already are passed over. True: the lane is full, and was not before. */
  push(lane: Lane, records: readonly Incoming[]): boolean {
    for (const record of records) {
      const offset = BigInt(record.offset);
      if (offset < lane.fetchedTo) continue;
      lane.waiting.push(record);
      lane.bytes += record.value?.length ?? 0;
      lane.fetchedTo = offset + 1n;
    }
    if (lane.isPaused || (lane.waiting.length < MAX_WAITING && lane.bytes < MAX_WAITING_BYTES)) return false;
    lane.isPaused = true;
    return true;
  }

  /**
   * The oldest records below the limits, at most `max`; a partition without a limit gives none. A partition whose next record lies at
   * its limit or beyond is passed up to the limit, because nothing is left before it. `nexts`: what was handed on before.
   */
  take(limits: Offsets, max: number, nexts: Offsets): Taken {
    const records: Incoming[] = [];
    const taken = new Map<Lane, number>();
    const open = new Set<Lane>();
    for (const [place, lane] of this.#lanes) if (limits.has(place)) open.add(lane);
    while (records.length < max) {
      let oldest: { readonly lane: Lane; readonly record: Incoming } | undefined;
      for (const lane of open) {
        const record = lane.waiting[taken.get(lane) ?? 0];
        const limit = limits.get(placeOf(lane.topic, lane.partition)) ?? 0n;
        if (record === undefined || BigInt(record.offset) >= limit) open.delete(lane);
        else if (oldest === undefined || record.timestampMs < oldest.record.timestampMs) oldest = { lane, record };
      }
      if (oldest === undefined) break;
      records.push(oldest.record);
      taken.set(oldest.lane, (taken.get(oldest.lane) ?? 0) + 1);
    }
    const passed = [...this.#lanes].flatMap(([place, lane]) => {
      const before = nexts.get(place) ?? 0n;
      const next = nextOf(lane, taken.get(lane) ?? 0, before, limits.get(place) ?? 0n);
      if (next <= before) return [];
      const missing = next - before - BigInt(taken.get(lane) ?? 0);
      return [{ topic: lane.topic, partition: lane.partition, next, missing }];
    });
    return { records, passed };
  }

  /** What was taken is stored and need not wait any more. Answers the lanes that were full and have room again. */
  done({ passed }: Taken): readonly Lane[] {
    return passed.flatMap(({ topic, partition, next }) => {
      const lane = this.lane(topic, partition);
      if (!lane) return [];
      const firstAfter = lane.waiting.findIndex(({ offset }) => BigInt(offset) >= next);
      const gone = lane.waiting.splice(0, firstAfter === -1 ? lane.waiting.length : firstAfter);
      for (const { value } of gone) lane.bytes -= value?.length ?? 0;
      if (!lane.isPaused || lane.waiting.length >= MAX_WAITING / 2 || lane.bytes >= MAX_WAITING_BYTES / 2) return [];
      lane.isPaused = false;
      return [lane];
    });
  }
}

function nextOf(lane: Lane, count: number, before: bigint, limit: bigint): bigint {
  const last = count === 0 ? undefined : lane.waiting[count - 1];
  const afterLast = last === undefined ? before : BigInt(last.offset) + 1n;
  const following = lane.waiting[count];
  const isEmptyUpTo = following === undefined ? lane.fetchedTo : BigInt(following.offset);
  return isEmptyUpTo >= limit && limit > afterLast ? limit : afterLast;
}

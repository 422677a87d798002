import { placeOf } from '../kafka/place-of.ts';
import type { Tracked } from './offset-tracker.ts';

// Two batches: one that is worked on and one that is ready when it is done. Whatever more the worker held would be a line in which
// a partition with little to do waits behind one with much.
const IN_WORK = 1000;

// Records that were taken are let go of this many at a time: each time the rest of the array moves.
const LET_GO_OF = 500;

interface Lane {
  readonly waiting: Tracked[];
  /** The first of `waiting` that was not taken. */
  next: number;
  inWork: number;
}

/**
 * What was received and waits for the worker, given out by partition in turns: in order per partition, and a partition with a
 * million records to go costs the others one place in line.
 *
 * A partition has at most as many records in work as there are places left. So one that is alone gets half of them, which is
 * a full batch; many share them evenly; and for a partition that has nothing in work there always is a place, also when another
 * one's records all wait for one slow key.
 */
export class FairQueue {
  #lanes = new Map<string, Lane>();
  #turns: Lane[] = [];
  #turn = 0;
  readonly #inWork = new Map<Tracked, Lane>();

  /** Appends records: in order per partition. */
  push(records: readonly Tracked[]): void {
    for (const record of records) this.#laneOf(record).waiting.push(record);
  }

  /** What the worker may be given now; it counts as in work until it is settled. */
  take(): readonly Tracked[] {
    const taken: Tracked[] = [];
    for (let passed = 0; passed < this.#turns.length;) {
      const lane = this.#turns[this.#turn % this.#turns.length] as Lane;
      this.#turn = (this.#turn + 1) % this.#turns.length;
      const record = lane.inWork < IN_WORK - this.#inWork.size ? takeFirst(lane) : undefined;
      if (record === undefined) {
        passed += 1;
        continue;
      }
      passed = 0;
      lane.inWork += 1;
      this.#inWork.set(record, lane);
      taken.push(record);
    }
    return taken;
  }

  /** These records are worked off. Ones from before `clear` are passed over. */
  settled(records: readonly Tracked[]): void {
    for (const record of records) {
      const lane = this.#inWork.get(record);
      if (lane === undefined) continue;
      lane.inWork -= 1;
      this.#inWork.delete(record);
    }
  }

  /** Drops everything: a new assignment delivers it again. */
  clear(): void {
    this.#lanes = new Map();
    this.#turns = [];
    this.#turn = 0;
    this.#inWork.clear();
  }

  #laneOf({ incoming: { topic, partition } }: Tracked): Lane {
    const name = placeOf(topic, partition);
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { waiting: [], next: 0, inWork: 0 };
      this.#lanes.set(name, lane);
      this.#turns.push(lane);
    }
    return lane;
  }
}

function takeFirst(lane: Lane): Tracked | undefined {
  const record = lane.waiting[lane.next];
  if (record === undefined) return undefined;
  lane.next += 1;
  if (lane.next === lane.waiting.length || lane.next === LET_GO_OF) {
    lane.waiting.splice(0, lane.next);
    lane.next = 0;
  }
  return record;
}

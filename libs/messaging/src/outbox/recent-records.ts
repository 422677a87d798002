import type { OutboxRecord } from './outbox.ts';

// What a relay that keeps up has not sent yet is a fraction of this; one that is behind reads from the database.
const MAX_RECORDS = 4000;
const MAX_BYTES = 8 * 1024 * 1024;

/** A record that was stored. */
export interface RecentRecord {
  readonly record: OutboxRecord;
  readonly storedAt: Date;
  /** What its value and its headers weigh. */
  readonly bytes: number;
}

/**
 * What this process has just stored, so that its relay need not read it back. A memory and no more: which rows there are, and in
 * what order they are sent, is the database's to say. The oldest are forgotten first.
 */
export class RecentRecords {
  readonly #records = new Map<string, RecentRecord>();
  #bytes = 0;

  add(stored: ReadonlyMap<string, RecentRecord>): void {
    for (const [seq, recent] of stored) {
      this.#records.set(seq, recent);
      this.#bytes += recent.bytes;
    }
    for (const seq of this.#records.keys()) {
      if (this.#records.size <= MAX_RECORDS && this.#bytes <= MAX_BYTES) return;
      this.forget(seq);
    }
  }

  get(seq: string): RecentRecord | undefined {
    return this.#records.get(seq);
  }

  forget(seq: string): void {
    const recent = this.#records.get(seq);
    if (recent === undefined) return;
    this.#records.delete(seq);
    this.#bytes -= recent.bytes;
  }

  clear(): void {
    this.#records.clear();
    this.#bytes = 0;
  }
}

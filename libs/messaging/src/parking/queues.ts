import { statement, type Transaction } from '@millrace/database';
import type { Failure } from '../runtime/dead-letter.ts';
import type { ParkedPlace, Received } from '../runtime/received.ts';
import type { Fate } from './fate.ts';
import { freshHead, type Head, removeParked, storeHeads } from './heads.ts';
import { appendParked, lockParked, type ParkedKey, type ParkedRow } from './parked-rows.ts';

const selectSeqs = statement(
  'messaging.parked_message.seqs',
  `SELECT m.key, m.seq FROM messaging.parked_message AS m
     JOIN unnest($2::text[], $3::bigint[]) AS u(key, up_to) ON m.key = u.key AND m.seq <= u.up_to
    WHERE m.consumer_group = $1 ORDER BY m.key, m.seq`,
);

/**
 * The queues of one batch's keys, inside its transaction. Locked first, so that what it finds stays so until the commit: a key that
 * is parked takes the later messages of its own, and a parked message is tried only when it is the first.
 */
export class Queues {
  readonly #tx: Transaction;
  readonly #group: string;
  readonly #parked: ReadonlyMap<string, ParkedKey>;
  /** What still stands in front of, or is, a parked message of this batch. */
  readonly #waiting: ReadonlyMap<string, string[]>;
  /** What is known of a parked key is about this one. */
  readonly #firsts: ReadonlyMap<string, string | undefined>;
  /** Keys for which something of this batch is queued; those whose first message failed. */
  readonly #closed = new Set<string>();
  readonly #stuck = new Set<string>();
  readonly #appended: ParkedRow[] = [];
  readonly #done: ParkedPlace[] = [];
  readonly #heads = new Map<string, Head>();

  private constructor(
    tx: Transaction,
    group: string,
    parked: ReadonlyMap<string, ParkedKey>,
    waiting: ReadonlyMap<string, string[]>,
  ) {
    this.#tx = tx;
    this.#group = group;
    this.#parked = parked;
    this.#waiting = waiting;
    this.#firsts = new Map([...waiting].map(([key, [first]]) => [key, first]));
  }

  static async lock(tx: Transaction, group: string, batch: readonly Received[]): Promise<Queues> {
    const keys = batch.flatMap((received) => queueKeyOf(received) ?? []);
    const parked = await lockParked(tx, group, keys);
    const last = new Map(batch.flatMap(({ parked: place }) => (place ? [[place.key, place.seq] as const] : [])));
    const waiting = new Map<string, string[]>();
    if (last.size > 0) {
      const { rows } = await tx.query<{ key: string; seq: string }>(
        selectSeqs(group, [...last.keys()], [...last.values()]),
      );
      for (const { key, seq } of rows) waiting.set(key, [...(waiting.get(key) ?? []), seq]);
    }
    return new Queues(tx, group, parked, waiting);
  }

  /** Whether a parked message is the next of its key: `gone` when somebody else has settled or skipped it, `later` when not yet. */
  turnOf({ key, seq }: ParkedPlace): 'now' | 'gone' | 'later' {
    const seqs = this.#waiting.get(key) ?? [];
    if (!seqs.includes(seq)) return 'gone';
    if (this.#stuck.has(key) || seqs[0] !== seq) return 'later';
    seqs.shift();
    return 'now';
  }

  /** Whether a message that is not parked yet must queue. */
  isClosed(received: Received): boolean {
    const key = queueKeyOf(received);
    return key !== undefined && (this.#parked.has(key) || this.#closed.has(key));
  }

  /** How often a message failed before, and the first time. */
  pastOf({ parked: place }: Received): { readonly attempts: number; readonly firstFailedAt: Date | undefined } {
    const isFirst = place !== undefined && this.#firsts.get(place.key) === place.seq;
    const key = isFirst ? this.#parked.get(place.key) : undefined;
    return { attempts: key?.attempts ?? 0, firstFailedAt: key?.firstFailedAt };
  }

  /** The message waits for its turn behind others of its key. */
  queue(received: Received): void {
    const key = queueKeyOf(received);
    if (key === undefined) return;
    this.#closed.add(key);
    if (received.parked === undefined && received.id !== undefined) {
      this.#appended.push({ key, messageId: received.id, incoming: received.incoming });
    }
  }

  /** The message failed and is the first of its key until it is tried again. */
  park(received: Received, fate: Fate & { readonly kind: 'park' }, failure: Failure, now: Date): void {
    const key = queueKeyOf(received);
    if (key === undefined) return;
    const { firstFailedAt = now } = this.pastOf(received);
    const { attempts, delayMs, isHeld } = fate;
    this.#stuck.add(key);
    this.#heads.set(key, { key, attempts, firstFailedAt, lastFailedAt: now, failure, delayMs, isHeld });
    this.queue(received);
  }

  /** The message is settled and leaves its queue. */
  done({ parked }: Received): void {
    if (parked !== undefined) this.#done.push(parked);
  }

  /**
   * Writes down what became of the queues. A key whose first message did not fail is due at once. Answers in how many milliseconds the
   * next of these keys is due; undefined when none is.
   */
  async store(): Promise<number | undefined> {
    await removeParked(this.#tx, this.#group, this.#done);
    const progressed = new Set(this.#done.map(({ key }) => key));
    // A key that is locked stays parked, unless the last of its queue has just left.
    const isLocked = (key: string): boolean => this.#parked.has(key) && !progressed.has(key);
    const created = await appendParked(this.#tx, this.#group, this.#appended, isLocked);
    const failed = [...this.#heads.values()].filter(({ key }) => this.#parked.has(key) || created.has(key));
    const goOn = [...progressed].filter((key) => !this.#heads.has(key)).map(freshHead);
    await storeHeads(this.#tx, this.#group, [...failed, ...goOn]);
    const delays = [...failed, ...goOn].filter(({ isHeld }) => !isHeld).map(({ delayMs }) => delayMs);
    if ([...created].some((key) => !this.#heads.has(key))) delays.push(0);
    return delays.length === 0 ? undefined : Math.min(...delays);
  }
}

/** The key that a record waits under, behind others or for a newer replica; undefined for what does not wait. */
export function queueKeyOf({ parked, decoded, incoming }: Received): string | undefined {
  if (parked !== undefined) return parked.key;
  if (decoded.kind === 'message') return decoded.message.key;
  return isTooNew(decoded) ? (incoming.key?.toString('utf8') ?? '') : undefined;
}

/** Nothing is wrong with the record: a newer replica of the group will understand it. */
export function isTooNew(decoded: Received['decoded']): boolean {
  return decoded.kind === 'malformed' && decoded.reason === 'newer-version';
}

import { type AnyContract, type AnyMessage, deadLetterTopic } from '@millrace/contracts';
import type { Database, Queryable } from '@millrace/database';
import { broughtBySwap } from '../replay/swapped.ts';
import { listParked } from '../parking/operations.ts';
import { appendParked } from '../parking/parked-rows.ts';
import { decisionAbout, type LetterDecision, type Responsible, storeDecision } from './decisions.ts';
import { addressOf, byOrigin, type DeadLetter, decodeLetter } from './letter.ts';
import { type ChosenLetters, NewerMessages, type Overtaken } from './newer-messages.ts';

// A message that people sent back three times will not be cured by a fourth.
const MAX_REDRIVES = 3;

/** What a person allows or changes. */
export interface Edit {
  /** Instead of the letter's own. It must fit the contract and keep the key. */
  readonly body?: Buffer | undefined;
  /** The letter may be applied after newer messages of its key, or nobody can tell whether there are any. */
  readonly isLateFine?: boolean;
  /** It may be sent back however often that was tried before. */
  readonly again?: boolean;
}

/** What came of a redrive. */
export type Redriven =
  | {
      readonly kind: 'redriven';
      /** Messages of its key that are applied before it. */
      readonly behind: number;
      /** Its key waits for a person: nothing of it is applied until it is released. */
      readonly isHeld: boolean;
      readonly overtaken: Overtaken;
    }
  | { readonly kind: 'decided-before'; readonly decision: LetterDecision }
  /** `detail` says what its group would say of it today. */
  | { readonly kind: 'no-message'; readonly detail: string }
  | { readonly kind: 'too-often'; readonly redrives: number }
  /** A rebuilt read model, in which it is, took the place of the one that refused it. */
  | { readonly kind: 'in-read-model'; readonly since: Date }
  | { readonly kind: 'late'; readonly overtaken: Overtaken };

interface Good {
  readonly kind: 'good';
  readonly message: AnyMessage;
  readonly overtaken: Overtaken;
}

/** The letters of one group, to be sent back to it. Whoever opened it closes it. */
export class Redrive {
  readonly #database: Database;
  readonly #newer: NewerMessages;
  readonly #contracts: readonly AnyContract[] | undefined;

  private constructor(database: Database, newer: NewerMessages, contracts: readonly AnyContract[] | undefined) {
    this.#database = database;
    this.#newer = newer;
    this.#contracts = contracts;
  }

  /** `database` is that of the service whose group it is; `contracts` what the group hears, the catalogue of Millrace unless said. */
  static async open({
    database,
    contracts,
    ...letters
  }: ChosenLetters & { readonly database: Database; readonly contracts?: readonly AnyContract[] }): Promise<Redrive> {
    return new Redrive(database, await NewerMessages.open(letters), contracts);
  }

  /**
   * Sends a letter back to its group: queues it behind what its key waits for, where any replica applies it once and in the order of its
   * key, and writes down who wanted it and why, in one transaction. A letter that was decided about before stays as it is. Letters of
   * one key must be sent in the order of `inOrder`.
   *
   * While it looks whether newer messages of the key were settled, the service settles nothing: the answer is exact, and the service
   * waits for as long, some milliseconds.
   */
  send(letter: DeadLetter, who: Responsible, edit: Edit = {}): Promise<Redriven> {
    return this.#database.transaction(async (tx) => {
      await tx.query('LOCK TABLE messaging.inbox IN SHARE ROW EXCLUSIVE MODE');
      // A swap of the group's read model comes either before what follows or after it.
      await tx.query('LOCK TABLE messaging.parked_message IN ROW EXCLUSIVE MODE');
      const judged = await this.#judge(tx, letter, edit);
      if (judged.kind !== 'good') return judged;
      const { message, overtaken } = judged;
      const queue = await queueOf(tx, letter.group, message.key);
      if (!(await storeDecision(tx, letter, 'redriven', who, edit.body))) return decidedBefore(tx, letter);
      await appendParked(tx, letter.group, [
        {
          key: message.key,
          messageId: message.id,
          incoming: {
            ...letter.record,
            ...letter.origin,
            value: edit.body ?? letter.record.value,
            timestampMs: message.time.getTime(),
          },
          redrives: letter.redrives + 1,
          redriveOf: `${deadLetterTopic(letter.group).name}/${letter.partition}/${letter.offset}`,
        },
      ]);
      return { kind: 'redriven', ...queue, overtaken };
    });
  }

  /** What `send` would answer now, without doing it. */
  async rehearse(letter: DeadLetter, edit: Edit = {}): Promise<Redriven> {
    const judged = await this.#judge(this.#database, letter, edit);
    if (judged.kind !== 'good') return judged;
    const queue = await queueOf(this.#database, letter.group, judged.message.key);
    return { kind: 'redriven', ...queue, overtaken: judged.overtaken };
  }

  async #judge(
    db: Queryable,
    letter: DeadLetter,
    { body, isLateFine = false, again = false }: Edit,
  ): Promise<Exclude<Redriven, { kind: 'redriven' }> | Good> {
    const decision = await decisionAbout(db, letter);
    if (decision !== undefined) return { kind: 'decided-before', decision };
    const decoded = decodeLetter(letter, body, this.#contracts);
    if (decoded.kind !== 'message') {
      return {
        kind: 'no-message',
        detail: decoded.kind === 'malformed' ? decoded.detail : `nobody knows ${letter.type}`,
      };
    }
    if (letter.redrives >= MAX_REDRIVES && !again) return { kind: 'too-often', redrives: letter.redrives };
    const since = await broughtBySwap(db, letter.group, { ...letter.origin, failedAt: letter.failedAt ?? new Date(0) });
    if (since !== undefined && !again) return { kind: 'in-read-model', since };
    const overtaken = await this.#newer.overtakenBy(db, letter);
    const isLate = overtaken.isLogCut || overtaken.newer.length > 0;
    return isLate && !isLateFine ? { kind: 'late', overtaken } : { kind: 'good', message: decoded.message, overtaken };
  }

  async close(): Promise<void> {
    await this.#newer.close();
  }
}

/** Letters in the order in which they must be sent back. */
export function inOrder(letters: readonly DeadLetter[]): readonly DeadLetter[] {
  return letters.toSorted(byOrigin);
}

/**
 * Writes down that a letter is to be left as it is, and why. It stays in its topic until that forgets it. Answers what was decided
 * before, if anything was: then nothing is written.
 */
export function discard(database: Database, letter: DeadLetter, who: Responsible): Promise<LetterDecision | undefined> {
  return database.transaction(async (tx) => {
    if (await storeDecision(tx, letter, 'discarded', who)) return undefined;
    return decisionAbout(tx, letter);
  });
}

/** Somebody was quicker. */
async function decidedBefore(db: Queryable, letter: DeadLetter): Promise<Redriven> {
  const decision = await decisionAbout(db, letter);
  if (decision === undefined) throw new Error(`what was decided about ${addressOf(letter)} is gone`);
  return { kind: 'decided-before', decision };
}

/** What the key waits for. */
async function queueOf(
  db: Queryable,
  group: string,
  key: string,
): Promise<{ readonly behind: number; readonly isHeld: boolean }> {
  const [parked] = await listParked(db, { group, key });
  return { behind: parked?.messages ?? 0, isHeld: parked?.isHeld ?? false };
}

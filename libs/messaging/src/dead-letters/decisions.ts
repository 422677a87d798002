import type { Queryable, Transaction } from '@millrace/database';
import { type DeadLetter, originOf } from './letter.ts';

/** What a person decided about a letter. */
export interface LetterDecision {
  readonly decision: 'redriven' | 'discarded';
  readonly by: string;
  readonly reason: string;
  readonly at: Date;
  /** The body was edited before it was sent back. */
  readonly isEdited: boolean;
}

/** Who decides, and why: what the record says for ever. */
export interface Responsible {
  readonly by: string;
  readonly reason: string;
}

interface DecisionRow {
  readonly origin: string;
  readonly failed_at: Date;
  readonly decision: LetterDecision['decision'];
  readonly decided_by: string;
  readonly reason: string;
  readonly decided_at: Date;
  readonly is_edited: boolean;
}

/** What was decided about the letters of a group. */
export class LetterDecisions {
  readonly #byLetter: ReadonlyMap<string, LetterDecision>;

  private constructor(rows: readonly DecisionRow[]) {
    this.#byLetter = new Map(rows.map((row) => [`${row.origin}@${row.failed_at.getTime()}`, decisionOf(row)]));
  }

  static async load(db: Queryable, group: string): Promise<LetterDecisions> {
    const { rows } = await db.query<DecisionRow>(`${SELECT} WHERE consumer_group = $1`, [group]);
    return new LetterDecisions(rows);
  }

  /** Undefined while the letter is open. */
  of(letter: DeadLetter): LetterDecision | undefined {
    return this.#byLetter.get(`${originOf(letter)}@${failedAt(letter).getTime()}`);
  }
}

/** What was decided about one letter, as the database tells at this moment; undefined while it is open. */
export async function decisionAbout(db: Queryable, letter: DeadLetter): Promise<LetterDecision | undefined> {
  const { rows } = await db.query<DecisionRow>(
    `${SELECT} WHERE consumer_group = $1 AND origin = $2 AND failed_at = $3`,
    [letter.group, originOf(letter), failedAt(letter)],
  );
  return rows[0] && decisionOf(rows[0]);
}

/**
 * Writes down what was decided about a letter, in the caller's transaction. Answers false when somebody decided before: then nothing is
 * written, and the caller does nothing either.
 */
export async function storeDecision(
  tx: Transaction,
  letter: DeadLetter,
  decision: LetterDecision['decision'],
  { by, reason }: Responsible,
  editedBody?: Buffer,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO messaging.dead_letter_decision
       (consumer_group, origin, failed_at, partition, letter_offset, decision, decided_by, reason, message_id, message_type,
        message_key, body_before, body_after)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`,
    [
      letter.group,
      originOf(letter),
      failedAt(letter),
      letter.partition,
      letter.offset,
      decision,
      printable(by),
      printable(reason),
      printable(letter.messageId),
      printable(letter.type),
      letter.record.key,
      editedBody === undefined ? null : letter.record.value,
      editedBody ?? null,
    ],
  );
  return rowCount === 1;
}

const SELECT = `SELECT origin, failed_at, decision, decided_by, reason, decided_at, body_after IS NOT NULL AS is_edited
  FROM messaging.dead_letter_decision`;

/** The outbox may append a letter twice; both tell the same of when the message failed. */
function failedAt(letter: DeadLetter): Date {
  return letter.failedAt ?? new Date(letter.timestampMs);
}

/** PostgreSQL's text has no NUL, and what is no message may have any id. */
function printable(text: string | undefined): string | null {
  return text?.replaceAll('\0', '') ?? null;
}

function decisionOf({ decision, decided_by, reason, decided_at, is_edited }: DecisionRow): LetterDecision {
  return { decision, by: decided_by, reason, at: decided_at, isEdited: is_edited };
}

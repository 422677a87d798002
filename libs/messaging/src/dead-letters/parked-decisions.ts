import type { Database, Queryable } from '@millrace/database';
import { parkedMessages, release, skip } from '../parking/operations.ts';
import type { Responsible } from './decisions.ts';

/** What a person did to a parked key. */
export interface ParkedDecision {
  readonly decision: 'retried' | 'skipped';
  readonly by: string;
  readonly reason: string;
  readonly at: Date;
  /** The first message of the key's queue then. */
  readonly messageId: string;
}

/** Lets a key be tried again now, held or not, and writes down who wanted it. Answers false when the key is not parked. */
export function retryParked(database: Database, group: string, key: string, who: Responsible): Promise<boolean> {
  return database.transaction(async (tx) => {
    if (!(await release(tx, group, key))) return false;
    const [head] = await parkedMessages(tx, group, key, 1);
    if (head !== undefined) await note(tx, group, key, 'retried', who, head.messageId);
    return true;
  });
}

/**
 * Moves the first message of a parked key to the dead letters, so that the next one is tried at once, and writes down who wanted it.
 * Answers the id of the message; undefined when the key is not parked.
 */
export function skipParked(
  database: Database,
  group: string,
  key: string,
  who: Responsible,
): Promise<string | undefined> {
  return database.transaction(async (tx) => {
    const skipped = await skip(tx, group, key, new Date());
    if (skipped !== undefined) await note(tx, group, key, 'skipped', who, skipped.messageId);
    return skipped?.messageId;
  });
}

/** What people did to a key, the newest last. */
export async function parkedDecisions(db: Queryable, group: string, key: string): Promise<readonly ParkedDecision[]> {
  const { rows } = await db.query<{
    decision: ParkedDecision['decision'];
    decided_by: string;
    reason: string;
    decided_at: Date;
    message_id: string;
  }>(
    `SELECT decision, decided_by, reason, decided_at, message_id FROM messaging.parked_decision
      WHERE consumer_group = $1 AND key = $2 ORDER BY seq`,
    [group, key],
  );
  return rows.map(({ decision, decided_by, reason, decided_at, message_id }) => ({
    decision,
    by: decided_by,
    reason,
    at: decided_at,
    messageId: message_id,
  }));
}

async function note(
  db: Queryable,
  group: string,
  key: string,
  decision: ParkedDecision['decision'],
  { by, reason }: Responsible,
  messageId: string,
): Promise<void> {
  await db.query(
    `INSERT INTO messaging.parked_decision (consumer_group, key, decision, decided_by, reason, message_id)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [group, key, decision, by, reason, messageId],
  );
}

import { statement, type Transaction, type Queryable } from '@millrace/database';

const insert = statement(
  'messaging.inbox.insert',
  `INSERT INTO messaging.inbox (consumer_group, message_id)
   SELECT $1, id FROM unnest($2::uuid[]) AS id
   ON CONFLICT DO NOTHING
   RETURNING message_id`,
);

const select = statement(
  'messaging.inbox.select',
  `SELECT message_id FROM messaging.inbox WHERE consumer_group = $1 AND message_id = ANY($2::uuid[])`,
);

/**
 * Marks messages as settled by `group`, in the caller's transaction, and answers which of them are fresh. An id that
 * another open transaction is marking is waited for: it turns out a duplicate or, if that transaction fails, fresh.
 */
export async function claimFresh(tx: Transaction, group: string, ids: readonly string[]): Promise<Set<string>> {
  // Sorted, so that two transactions which claim the same ids wait for each other in one direction only.
  const { rows } = await tx.query<{ message_id: string }>(insert(group, [...new Set(ids)].sort()));
  return new Set(rows.map(({ message_id }) => message_id));
}

/** Which of the ids `group` has settled already. A hint only: the answer that counts is `claimFresh`. */
export async function settledAlready(db: Queryable, group: string, ids: readonly string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ message_id: string }>(select(group, ids));
  return new Set(rows.map(({ message_id }) => message_id));
}

import type { Queryable } from '@millrace/database';
import type { ReplayContext } from './shadow-batch.ts';

/** What a rebuilt read model lacks, and what else is worth knowing about it: sentences. */
export interface Completeness {
  readonly losses: readonly string[];
  readonly notes: readonly string[];
}

/** Looks what is missing in a shadow, as far as it has read. */
export async function completeness(
  db: Queryable,
  { projection, handler }: Pick<ReplayContext, 'projection' | 'handler'>,
): Promise<Completeness> {
  const losses: string[] = [];
  const notes: string[] = [];
  const { rows } = await db.query<{ topic: string; gone: number; left: number; missing: number }>(
    `SELECT topic, sum(first_offset)::float8 AS gone, sum(begin_offset - first_offset)::float8 AS left, sum(missing)::float8 AS missing
       FROM messaging.replay_position WHERE projection = $1 GROUP BY topic ORDER BY topic`,
    [projection],
  );
  const policies = new Map(handler.hears.map(({ topic }) => [topic.name, topic.cleanup.policy]));
  for (const { topic, gone, left, missing } of rows) {
    const isCompacted = policies.get(topic) === 'compact';
    if (left > 0) losses.push(`${topic}: ${count(left, 'record')} before the chosen time ${are(left)} not read`);
    if (isCompacted) {
      const sentence = `${topic}: of ${count(gone + missing, 'record')} nothing is left, as newer ones of their keys replaced them`;
      if (gone + missing > 0) (handler.needs === 'every-message' ? losses : notes).push(sentence);
      continue;
    }
    if (gone > 0) losses.push(`${topic}: the first ${count(gone, 'record')} ${are(gone)} no longer in the log`);
    if (missing > 0)
      losses.push(
        `${topic}: ${count(missing, 'record')} left the log before ${missing === 1 ? 'it was' : 'they were'} read`,
      );
  }
  await addLeftOut(db, projection, losses, notes);
  await addEdited(db, projection, losses);
  return { losses, notes };
}

async function addLeftOut(db: Queryable, projection: string, losses: string[], notes: string[]): Promise<void> {
  const { rows } = await db.query<{ waits: boolean; count: number; example: string }>(
    `SELECT p.message_id IS NOT NULL AS waits, count(*)::float8 AS count,
            (array_agg(format('%s/%s/%s %s: %s', l.topic, l.partition, l.record_offset, l.reason, left(l.error, 200))
                       ORDER BY l.topic, l.partition, l.record_offset))[1] AS example
       FROM messaging.replay_left_out AS l
       LEFT JOIN messaging.parked_message AS p ON p.consumer_group = l.projection AND p.message_id = l.message_id
      WHERE l.projection = $1 GROUP BY 1`,
    [projection],
  );
  for (const { waits, count: number, example } of rows) {
    if (waits)
      notes.push(
        `${count(number, 'message')} parked in the live projection ${are(number)} left out and will be tried there`,
      );
    else losses.push(`${count(number, 'message')} could not be applied, the first: ${example}`);
  }
}

/** A dead letter that was sent again with another body changed the live read model; the log has the first body only. */
async function addEdited(db: Queryable, projection: string, losses: string[]): Promise<void> {
  const { rows } = await db.query<{ count: number }>(
    `SELECT count(*)::float8 AS count FROM messaging.dead_letter_decision
      WHERE consumer_group = $1 AND decision = 'redriven' AND body_after IS NOT NULL`,
    [projection],
  );
  const edited = rows[0]?.count ?? 0;
  if (edited > 0)
    losses.push(`${count(edited, 'dead letter')} redriven with an edited body: the log has the original only`);
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

function are(number: number): string {
  return number === 1 ? 'is' : 'are';
}

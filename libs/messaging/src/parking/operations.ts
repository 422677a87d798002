import { type Queryable, statement, type Transaction } from '@millrace/database';
import { storeRecords } from '../outbox/outbox.ts';
import { deadLetterOf } from '../runtime/dead-letter.ts';
import { freshHead, removeParked, storeHeads } from './heads.ts';
import { KEY_COLUMNS, keyOf, lockParked, type ParkedKey, type QueuedRow, queuesOf } from './parked-rows.ts';

/** A parked key as people see it. */
export interface ParkedListing extends ParkedKey {
  readonly group: string;
  /** Messages in its queue. */
  readonly messages: number;
  /** Since when the longest of them waits. */
  readonly since: Date;
}

const selectListing = statement(
  'messaging.parked_key.list',
  `SELECT p.consumer_group, ${KEY_COLUMNS}, m.messages, m.since
     FROM messaging.parked_key AS p
    CROSS JOIN LATERAL (SELECT count(*)::int AS messages, min(parked_at) AS since FROM messaging.parked_message
                         WHERE consumer_group = p.consumer_group AND key = p.key) AS m
    WHERE ($1::text IS NULL OR p.consumer_group = $1) AND ($2::text IS NULL OR p.key = $2)
      AND ($3::boolean IS NULL OR p.held = $3) AND m.messages > 0
    ORDER BY m.since, p.key LIMIT $4`,
);

/** The parked keys of a service, those that wait longest first. */
export async function listParked(
  db: Queryable,
  only: {
    readonly group?: string | undefined;
    readonly key?: string | undefined;
    readonly isHeld?: boolean | undefined;
    readonly limit?: number;
  } = {},
): Promise<readonly ParkedListing[]> {
  const { rows } = await db.query<
    Parameters<typeof keyOf>[0] & { consumer_group: string; messages: number; since: Date }
  >(selectListing(only.group ?? null, only.key ?? null, only.isHeld ?? null, only.limit ?? 100));
  return rows.map((row) => ({
    ...keyOf(row),
    group: row.consumer_group,
    messages: row.messages,
    since: row.since,
  }));
}

/** The first messages of a parked key's queue, in order. */
export function parkedMessages(db: Queryable, group: string, key: string, limit = 100): Promise<readonly QueuedRow[]> {
  return queuesOf(db, group, new Map([[key, limit]]));
}

const makeDue = statement(
  'messaging.parked_key.release',
  `UPDATE messaging.parked_key SET held = false, next_at = clock_timestamp()
    WHERE consumer_group = $1 AND key = $2 RETURNING key`,
);

/**
 * Lets a key be tried again now, held or not. Its attempts stay counted: a message that has used them up gets one more. Answers
 * false when the key is not parked.
 */
export async function release(tx: Transaction, group: string, key: string): Promise<boolean> {
  const { rowCount } = await tx.query(makeDue(group, key));
  return (rowCount ?? 0) > 0;
}

/**
 * Moves the first message of a parked key to the dead letters; the next one is due at once, held or not. Answers what was moved;
 * undefined when the key is not parked.
 */
export async function skip(tx: Transaction, group: string, key: string, now: Date): Promise<QueuedRow | undefined> {
  const parked = (await lockParked(tx, group, [key])).get(key);
  const [head] = await queuesOf(tx, group, new Map([[key, 1]]));
  if (parked === undefined || head === undefined) return undefined;
  const letter = deadLetterOf(head.incoming, group, {
    failure: parked.failure ?? { reason: 'skipped', error: 'a person skipped it before it was tried' },
    attempts: parked.attempts,
    firstFailedAt: parked.firstFailedAt ?? now,
    lastFailedAt: parked.lastFailedAt ?? now,
    redrives: head.redrives,
    redriveOf: head.redriveOf,
  });
  await storeRecords(tx, [letter]);
  await removeParked(tx, group, [head]);
  await storeHeads(tx, group, [freshHead(key)]);
  return head;
}

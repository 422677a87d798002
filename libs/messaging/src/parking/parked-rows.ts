import { type Queryable, statement, type Transaction } from '@millrace/database';
import { headersOf, storedHeaders } from '../outbox/stored-headers.ts';
import type { Failure } from '../runtime/dead-letter.ts';
import type { Incoming } from '../runtime/incoming.ts';

/** A message to be queued behind what its key waits for. */
export interface ParkedRow {
  /** The key in whose order it is applied: that of the record, as text. */
  readonly key: string;
  /** What the inbox knows it by. */
  readonly messageId: string;
  readonly incoming: Incoming;
  /** How often people sent it back, this time counted, and the letter (`topic/partition/offset`) it came from. */
  readonly redrives?: number;
  readonly redriveOf?: string | undefined;
}

/** A message of a parked key's queue. `seq` orders the queue. */
export interface QueuedRow extends ParkedRow {
  readonly seq: string;
  readonly redrives: number;
  readonly redriveOf: string | undefined;
  readonly parkedAt: Date;
}

/** A parked key; all but `key` and `isHeld` is about the first message of its queue. */
export interface ParkedKey {
  readonly key: string;
  readonly attempts: number;
  readonly firstFailedAt: Date | undefined;
  readonly lastFailedAt: Date | undefined;
  /** Why it failed the last time; undefined when it was not tried yet. */
  readonly failure: Failure | undefined;
  readonly nextAt: Date;
  /** Waits for a person, not for a time. */
  readonly isHeld: boolean;
}

const upsertKeys = statement(
  'messaging.parked_key.upsert',
  // An update that changes nothing, so that a key which is parked already is locked as well.
  `INSERT INTO messaging.parked_key AS p (consumer_group, key, next_at)
   SELECT $1, key, clock_timestamp() FROM unnest($2::text[]) AS key
   ON CONFLICT (consumer_group, key) DO UPDATE SET next_at = p.next_at
   RETURNING key, xmax = 0 AS is_new`,
);

const insertMessages = statement(
  'messaging.parked_message.insert',
  `INSERT INTO messaging.parked_message (consumer_group, key, message_id, topic, partition, record_offset, timestamp_ms,
                                         record_key, value, headers, redrives, redrive_of)
   SELECT $1, key, message_id, topic, partition, record_offset, timestamp_ms, record_key, value, headers, redrives, redrive_of
     FROM unnest($2::text[], $3::uuid[], $4::text[], $5::int[], $6::bigint[], $7::bigint[], $8::bytea[], $9::bytea[],
                 $10::text[], $11::int[], $12::text[])
          WITH ORDINALITY AS r(key, message_id, topic, partition, record_offset, timestamp_ms, record_key, value, headers,
                               redrives, redrive_of, position)
    ORDER BY position`,
);

/**
 * Queues messages behind what their keys wait for, in the given order; a key that flowed is parked by it, due at once. In the
 * caller's transaction, which holds the keys until it ends. What was queued is applied once, in order, whichever replica does it.
 * Answers the keys that flowed until now. `locked`: parked keys that the caller holds already.
 */
export async function appendParked(
  tx: Transaction,
  group: string,
  rows: readonly ParkedRow[],
  locked: (key: string) => boolean = () => false,
): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set();
  const keys = [...new Set(rows.map(({ key }) => key))].filter((key) => !locked(key)).sort();
  const created =
    keys.length === 0 ? [] : (await tx.query<{ key: string; is_new: boolean }>(upsertKeys(group, keys))).rows;
  await tx.query(
    insertMessages(
      group,
      rows.map(({ key }) => key),
      rows.map(({ messageId }) => messageId),
      rows.map(({ incoming }) => incoming.topic),
      rows.map(({ incoming }) => incoming.partition),
      rows.map(({ incoming }) => incoming.offset),
      rows.map(({ incoming }) => incoming.timestampMs),
      rows.map(({ incoming }) => incoming.key),
      rows.map(({ incoming }) => incoming.value),
      rows.map(({ incoming }) => JSON.stringify(storedHeaders(incoming.headers))),
      rows.map(({ redrives = 0 }) => redrives),
      rows.map(({ redriveOf = null }) => redriveOf),
    ),
  );
  return new Set(created.filter(({ is_new }) => is_new).map(({ key }) => key));
}

interface KeyColumns {
  readonly key: string;
  readonly attempts: number;
  readonly first_failed_at: Date | null;
  readonly last_failed_at: Date | null;
  readonly reason: string | null;
  readonly error: string | null;
  readonly stack: string | null;
  readonly next_at: Date;
  readonly held: boolean;
}

/** The columns of `keyOf`. */
export const KEY_COLUMNS = 'key, attempts, first_failed_at, last_failed_at, reason, error, stack, next_at, held';

const lockKeys = statement(
  'messaging.parked_key.lock',
  `SELECT ${KEY_COLUMNS} FROM messaging.parked_key
    WHERE consumer_group = $1 AND key = ANY($2::text[]) ORDER BY key FOR UPDATE`,
);

/** Those of the keys that are parked, locked until the transaction ends. Keys that are missing flow. */
export async function lockParked(
  tx: Transaction,
  group: string,
  keys: readonly string[],
): Promise<Map<string, ParkedKey>> {
  if (keys.length === 0) return new Map();
  const { rows } = await tx.query<KeyColumns>(lockKeys(group, [...new Set(keys)].sort()));
  return new Map(rows.map((row) => [row.key, keyOf(row)]));
}

const selectKeys = statement(
  'messaging.parked_key.select',
  'SELECT key FROM messaging.parked_key WHERE consumer_group = $1 AND key = ANY($2::text[])',
);

/** Which of the keys are parked at this moment. A hint only: the answer that counts is `lockParked`. */
export async function parkedAlready(db: Queryable, group: string, keys: readonly string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ key: string }>(selectKeys(group, [...new Set(keys)]));
  return new Set(rows.map(({ key }) => key));
}

interface MessageColumns {
  readonly key: string;
  readonly seq: string;
  readonly message_id: string;
  readonly topic: string;
  readonly partition: number;
  readonly record_offset: string;
  readonly timestamp_ms: string;
  readonly record_key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: string;
  readonly redrives: number;
  readonly redrive_of: string | null;
  readonly parked_at: Date;
}

const selectQueues = statement(
  'messaging.parked_message.select',
  `SELECT m.* FROM unnest($2::text[], $3::int[]) AS wanted(key, count)
    CROSS JOIN LATERAL (SELECT *, sum(octet_length(value)) OVER (ORDER BY seq) - octet_length(value) AS bytes_before
                          FROM messaging.parked_message
                         WHERE consumer_group = $1 AND key = wanted.key ORDER BY seq LIMIT wanted.count) AS m
    WHERE coalesce(m.bytes_before, 0) <= $4 ORDER BY m.key, m.seq`,
);

// Large messages of a key are taken a few at a time: they are all in memory at once.
const MOST_BYTES_OF_A_KEY = 1024 * 1024;

/** The first messages of keys' queues, in order: of each key as many as asked for, fewer where they are large. */
export async function queuesOf(
  db: Queryable,
  group: string,
  counts: ReadonlyMap<string, number>,
): Promise<readonly QueuedRow[]> {
  const { rows } = await db.query<MessageColumns>(
    selectQueues(group, [...counts.keys()], [...counts.values()], MOST_BYTES_OF_A_KEY),
  );
  return rows.map(queuedRowOf);
}

/** A key from its columns. */
export function keyOf(row: KeyColumns): ParkedKey {
  const { reason, error, stack } = row;
  return {
    key: row.key,
    attempts: row.attempts,
    firstFailedAt: row.first_failed_at ?? undefined,
    lastFailedAt: row.last_failed_at ?? undefined,
    failure: reason === null ? undefined : { reason, error: error ?? '', ...(stack === null ? {} : { stack }) },
    nextAt: row.next_at,
    isHeld: row.held,
  };
}

function queuedRowOf(row: MessageColumns): QueuedRow {
  return {
    key: row.key,
    seq: row.seq,
    messageId: row.message_id,
    incoming: {
      topic: row.topic,
      partition: row.partition,
      offset: row.record_offset,
      timestampMs: Number(row.timestamp_ms),
      key: row.record_key,
      value: row.value,
      headers: headersOf(row.headers),
    },
    redrives: row.redrives,
    redriveOf: row.redrive_of ?? undefined,
    parkedAt: row.parked_at,
  };
}

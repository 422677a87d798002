import type { EncodedMessage } from '@millrace/contracts';
import { statement, type Transaction } from '@millrace/database';
import type { RecentRecord } from './recent-records.ts';
import type { StoredHeaders } from './stored-headers.ts';

/** Sixteen shards let up to sixteen replicas share the sending of one service. */
export const SHARD_COUNT = 16;

/** A record as the outbox keeps it. Dead letters keep bytes that are no text as base64. */
export interface OutboxRecord {
  readonly topic: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly encoding: 'utf8' | 'base64';
  readonly headers: StoredHeaders;
  /** The same message in earlier versions, sent right behind it. */
  readonly copies?: readonly OutboxRecord[];
}

const insert = statement(
  'messaging.outbox.insert',
  `INSERT INTO messaging.outbox (shard, topic, key, value, encoding, headers)
   SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
   RETURNING seq`,
);

// Brokers refuse records above 1 MiB with headers and framing. Such a record would stop its outbox for good.
const MAX_VALUE_BYTES = 900_000;

/**
 * An encoded message as a record of the outbox.
 * @throws {RangeError} no topic takes a message of this size.
 */
export function recordOf({ topic, key, value, headers, copies }: EncodedMessage): OutboxRecord {
  const bytes = Buffer.byteLength(value);
  if (bytes > MAX_VALUE_BYTES) {
    throw new RangeError(`a message for ${topic} weighs ${bytes} bytes, at most ${MAX_VALUE_BYTES} can be sent`);
  }
  const record: OutboxRecord = { topic, key, value, encoding: 'utf8', headers };
  return copies === undefined ? record : { ...record, copies: copies.map(recordOf) };
}

/** What a transaction will leave in the outbox when it commits. */
export interface Stored {
  /** Where there is something to send. */
  readonly shards: ReadonlySet<number>;
  /** By the number of their rows. */
  readonly records: ReadonlyMap<string, RecentRecord>;
}

/**
 * Stores what was said, in the caller's transaction, in the given order. The order of a key is safe because every writer
 * of a key holds the lock of its state.
 */
export async function storeRecords(tx: Transaction, said: readonly OutboxRecord[]): Promise<Stored> {
  if (said.length === 0) return { shards: new Set(), records: new Map() };
  const records = said.flatMap((record) => (record.copies === undefined ? record : [record, ...record.copies]));
  const shards = records.map(({ key }) => shardOf(key));
  const headers = records.map((record) => JSON.stringify(record.headers));
  const storedAt = new Date();
  // PostgreSQL inserts, numbers and answers the rows of an array in its order.
  const { rows } = await tx.query<{ seq: string }>(
    insert(
      shards,
      records.map(({ topic }) => topic),
      records.map(({ key }) => key),
      records.map(({ value }) => value),
      records.map(({ encoding }) => encoding),
      headers,
    ),
  );
  return {
    shards: new Set(shards),
    records: new Map(
      records.flatMap((record, index) => {
        const seq = rows[index]?.seq;
        return seq === undefined ? [] : [[seq, { record, storedAt, bytes: bytesOf(record.value, headers[index]) }]];
      }),
    ),
  };
}

/** FNV-1a (32 bit) of the key, modulo the number of shards. */
function shardOf(key: string | null): number {
  let hash = 0x811c9dc5;
  for (const char of key ?? '') hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0) % SHARD_COUNT;
}

/** What a record's value and its headers, as JSON, weigh. */
export function bytesOf(value: string | null, headers = ''): number {
  return Buffer.byteLength(value ?? '') + Buffer.byteLength(headers);
}

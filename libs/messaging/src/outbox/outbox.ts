import type { EncodedMessage } from '@millrace/contracts';
import { statement, type Transaction } from '@millrace/database';
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
   SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])`,
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

/**
 * Stores what was said, in the caller's transaction, in the given order. The order of a key is safe because every writer
 * of a key holds the lock of its state. Answers the shards that now have something to send.
 */
export async function storeRecords(tx: Transaction, said: readonly OutboxRecord[]): Promise<ReadonlySet<number>> {
  if (said.length === 0) return new Set();
  const records = said.flatMap((record) => (record.copies === undefined ? record : [record, ...record.copies]));
  const shards = records.map(({ key }) => shardOf(key));
  await tx.query(
    insert(
      shards,
      records.map(({ topic }) => topic),
      records.map(({ key }) => key),
      records.map(({ value }) => value),
      records.map(({ encoding }) => encoding),
      records.map(({ headers }) => JSON.stringify(headers)),
    ),
  );
  return new Set(shards);
}

/** FNV-1a (32 bit) of the key, modulo the number of shards. */
function shardOf(key: string | null): number {
  let hash = 0x811c9dc5;
  for (const char of key ?? '') hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0) % SHARD_COUNT;
}

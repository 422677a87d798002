import { MESSAGE_RETENTION_MS } from '@millrace/contracts';
import type { Database } from '@millrace/database';

// Topics forget after their retention; a day more covers clocks that differ and messages that waited in an outbox.
const REMEMBERED_MS = MESSAGE_RETENTION_MS + 24 * 60 * 60 * 1000;

const PURGE_BATCH_SIZE = 10_000;

/**
 * Forgets message ids that no topic can deliver again. A UUIDv7 begins with its time, so old ids are one range of the index.
 * Resolves with how many were forgotten; small transactions, so that nobody waits for it.
 */
export async function purgeInbox(database: Database, now: Date): Promise<number> {
  const boundary = firstIdOf(new Date(now.getTime() - REMEMBERED_MS));
  for (let purged = 0; ;) {
    const { rowCount } = await database.query(
      `DELETE FROM messaging.inbox WHERE (consumer_group, message_id) IN
         (SELECT consumer_group, message_id FROM messaging.inbox WHERE message_id < $1::uuid LIMIT $2)`,
      [boundary, PURGE_BATCH_SIZE],
    );
    purged += rowCount ?? 0;
    if ((rowCount ?? 0) < PURGE_BATCH_SIZE) return purged;
  }
}

/** The smallest UUIDv7 of a moment (RFC 9562 §5.7: 48 bits of milliseconds come first). */
function firstIdOf(time: Date): string {
  const hex = time.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

import { statement, type Transaction } from '@millrace/database';
import type { Failure } from '../runtime/dead-letter.ts';

/** How the first message of a parked key's queue stands. */
export interface Head {
  readonly key: string;
  readonly attempts: number;
  readonly firstFailedAt: Date | undefined;
  readonly lastFailedAt: Date | undefined;
  readonly failure: Failure | undefined;
  /** From now to the next try. */
  readonly delayMs: number;
  readonly isHeld: boolean;
}

const updateKeys = statement(
  'messaging.parked_key.update',
  `UPDATE messaging.parked_key AS p
      SET attempts = h.attempts, first_failed_at = h.first_failed_at, last_failed_at = h.last_failed_at,
          reason = h.reason, error = h.error, stack = h.stack,
          next_at = clock_timestamp() + h.delay_ms * interval '1 millisecond', held = h.held, leased_until = '-infinity'
     FROM unnest($2::text[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[], $8::text[],
                 $9::float8[], $10::boolean[])
          AS h(key, attempts, first_failed_at, last_failed_at, reason, error, stack, delay_ms, held)
    WHERE p.consumer_group = $1 AND p.key = h.key`,
);

/** Writes down how the heads of parked keys stand, and ends whoever's lease of them. The caller holds the keys. */
export async function storeHeads(tx: Transaction, group: string, heads: readonly Head[]): Promise<void> {
  if (heads.length === 0) return;
  await tx.query(
    updateKeys(
      group,
      heads.map(({ key }) => key),
      heads.map(({ attempts }) => attempts),
      heads.map(({ firstFailedAt }) => firstFailedAt ?? null),
      heads.map(({ lastFailedAt }) => lastFailedAt ?? null),
      heads.map(({ failure }) => failure?.reason ?? null),
      heads.map(({ failure }) => failure?.error ?? null),
      heads.map(({ failure }) => failure?.stack ?? null),
      heads.map(({ delayMs }) => delayMs),
      heads.map(({ isHeld }) => isHeld),
    ),
  );
}

/** The head of a queue whose earlier messages are done: nothing is known against it. */
export function freshHead(key: string): Head {
  return {
    key,
    attempts: 0,
    firstFailedAt: undefined,
    lastFailedAt: undefined,
    failure: undefined,
    delayMs: 0,
    isHeld: false,
  };
}

const deleteMessages = statement(
  'messaging.parked_message.delete',
  `DELETE FROM messaging.parked_message WHERE consumer_group = $1 AND key = ANY($2::text[]) AND seq = ANY($3::bigint[])`,
);

const deleteEmptyKeys = statement(
  'messaging.parked_key.delete_empty',
  `DELETE FROM messaging.parked_key AS p WHERE consumer_group = $1 AND key = ANY($2::text[])
      AND NOT EXISTS (SELECT FROM messaging.parked_message AS m WHERE m.consumer_group = $1 AND m.key = p.key)`,
);

/**
 * Takes messages that are done out of their queues; a key whose queue is empty flows again. The caller holds the keys, or a message
 * that is being queued meanwhile would be left behind.
 */
export async function removeParked(
  tx: Transaction,
  group: string,
  done: readonly { readonly key: string; readonly seq: string }[],
): Promise<void> {
  if (done.length === 0) return;
  const keys = [...new Set(done.map(({ key }) => key))];
  await tx.query(
    deleteMessages(
      group,
      keys,
      done.map(({ seq }) => seq),
    ),
  );
  await tx.query(deleteEmptyKeys(group, keys));
}

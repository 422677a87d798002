import { type Queryable, statement } from '@millrace/database';

/** A parked key that one replica has taken on for a while. */
export interface Lease {
  readonly key: string;
  readonly attempts: number;
  /** Names this lease; another one of the same key has another name. */
  readonly lease: string;
}

const claim = statement(
  'messaging.parked_key.claim',
  `UPDATE messaging.parked_key AS p SET leased_until = now() + $3 * interval '1 millisecond'
     FROM (SELECT key FROM messaging.parked_key
            WHERE consumer_group = $1 AND NOT held AND next_at <= now() AND leased_until <= now()
            ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS due
    WHERE p.consumer_group = $1 AND p.key = due.key
   RETURNING p.key, p.attempts, p.leased_until::text AS lease`,
);

/**
 * Takes on keys that are due, those that are so for longest first; for this long no other replica does. Keys that somebody is just
 * settling are passed over.
 */
export async function claimDue(
  db: Queryable,
  group: string,
  limit: number,
  leaseMs: number,
): Promise<readonly Lease[]> {
  return (await db.query<Lease & Record<string, unknown>>(claim(group, limit, leaseMs))).rows;
}

const renew = statement(
  'messaging.parked_key.renew',
  `UPDATE messaging.parked_key AS p SET leased_until = now() + $5 * interval '1 millisecond'
     FROM unnest($2::text[], $3::text[], $4::bigint[]) AS mine(key, lease, seq)
    WHERE p.consumer_group = $1 AND p.key = mine.key AND p.leased_until = mine.lease::timestamptz
      AND EXISTS (SELECT FROM messaging.parked_message AS m
                   WHERE m.consumer_group = $1 AND m.key = mine.key AND m.seq = mine.seq)
   RETURNING p.key`,
);

/**
 * Lets leases begin anew, before something that takes long. Answers the keys whose lease was still the caller's and whose message is
 * still there: of the others it must not go on.
 */
export async function renewLeases(
  db: Queryable,
  group: string,
  mine: readonly { readonly key: string; readonly lease: string; readonly seq: string }[],
  leaseMs: number,
): Promise<ReadonlySet<string>> {
  if (mine.length === 0) return new Set();
  const { rows } = await db.query<{ key: string }>(
    renew(
      group,
      mine.map(({ key }) => key),
      mine.map(({ lease }) => lease),
      mine.map(({ seq }) => seq),
      leaseMs,
    ),
  );
  return new Set(rows.map(({ key }) => key));
}

const leave = statement(
  'messaging.parked_key.leave',
  `UPDATE messaging.parked_key AS p SET leased_until = '-infinity'
     FROM unnest($2::text[], $3::text[]) AS mine(key, lease)
    WHERE p.consumer_group = $1 AND p.key = mine.key AND p.leased_until = mine.lease::timestamptz`,
);

/** Ends the leases that are still the caller's, so that another replica goes on at once. */
export async function endLeases(db: Queryable, group: string, mine: readonly Lease[]): Promise<void> {
  await db.query(
    leave(
      group,
      mine.map(({ key }) => key),
      mine.map(({ lease }) => lease),
    ),
  );
}

const due = statement(
  'messaging.parked_key.due',
  `SELECT extract(epoch FROM min(greatest(next_at, leased_until)) - now())::float8 * 1000 AS ms
     FROM messaging.parked_key WHERE consumer_group = $1 AND NOT held`,
);

/** In how many milliseconds the next key can be taken on; undefined when there is none. */
export async function dueInMs(db: Queryable, group: string): Promise<number | undefined> {
  const { rows } = await db.query<{ ms: number | null }>(due(group));
  return rows[0]?.ms ?? undefined;
}

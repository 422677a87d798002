import { type Database, statement } from '@millrace/database';
import type { Stage } from '../domain/checkout.ts';

/** The checkouts at one stage that have not ended. */
export interface StageLoad {
  readonly stage: Stage;
  readonly checkouts: number;
  /** Since the oldest of them was placed. */
  readonly oldestSeconds: number;
  /** Those whose deadline passed more than ten seconds ago: nobody woke them. */
  readonly pastDeadline: number;
}

// Only orders under way have a time to be woken at, so the index on it holds them and none of the millions that ended. An order id
// tells when it was made.
const countInFlight = statement(
  'checkout.in-flight',
  `SELECT stage, count(*)::int AS checkouts,
          extract(epoch FROM clock_timestamp() - min(uuid_extract_timestamp(order_id)))::float8 AS "oldestSeconds",
          (count(*) FILTER (WHERE deadline < clock_timestamp() - interval '10 s'))::int AS "pastDeadline"
     FROM checkouts WHERE wake_at IS NOT NULL GROUP BY stage`,
);

/** How many checkouts are under way, by stage. The server gives up after `withinMs`. */
export function checkoutsInFlight(database: Database, withinMs: number): Promise<readonly StageLoad[]> {
  return database.queryWithin<StageLoad>(withinMs, countInFlight());
}

import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

// Any number, as long as every deploy to one database takes the same; not the engine's own (72707369).
const MIGRATION_LOCK = 7_270_736_900;

// Two replicas that start together: the second waits for the whole of the first's migrations.
const MAX_WAIT_MS = 600_000;
const RETRY_MS = 250;

/**
 * Runs `work` while no other deploy to the same database runs. The engine has such a lock too, but gives up after 10 s.
 *
 * Asks again and again instead of waiting inside PostgreSQL: a session that waits there holds a snapshot, and a
 * migration that builds an index concurrently would wait for that snapshot for ever.
 */
export async function withMigrationLock<T>(url: string, work: (session: pg.Client) => Promise<T>): Promise<T> {
  const session = new pg.Client({ connectionString: url, application_name: 'millrace-migrate-lock', keepAlive: true });
  session.on('error', () => {});
  await session.connect();
  try {
    const deadline = Date.now() + MAX_WAIT_MS;
    while (!(await isTaken(session))) {
      if (Date.now() > deadline) throw new Error('another deploy has been migrating this database for ten minutes');
      await wait(RETRY_MS);
    }
    return await work(session);
  } finally {
    // Ending the session gives the lock back.
    await session.end();
  }
}

async function isTaken(session: pg.Client): Promise<boolean> {
  const { rows } = await session.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [
    MIGRATION_LOCK,
  ]);
  return rows[0]?.taken === true;
}

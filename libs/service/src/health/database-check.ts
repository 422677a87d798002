import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '@millrace/database';
import type { Logger } from '@millrace/observability';

// A database that needs longer for nothing at all will not keep up with work either.
const ANSWER_WITHIN_MS = 1_000;

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5_000;

/** Why the database cannot be used right now, or nothing when it answers `SELECT 1` within a second. */
export async function databaseCheck(database: Database): Promise<string | undefined> {
  const { promise: tooLate, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve(`no answer within ${ANSWER_WITHIN_MS} ms`), ANSWER_WITHIN_MS);
  const answer = database.query('SELECT 1').then(
    () => undefined,
    (error: unknown) => reasonOf(error),
  );
  try {
    return await Promise.race([answer, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** Tells the operator while a starting service waits for its database, and once it is there. Ends with `signal`. */
export async function reportUntilReachable(database: Database, logger: Logger, signal: AbortSignal): Promise<void> {
  for (let retryMs = FIRST_RETRY_MS; !signal.aborted; retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)) {
    const reason = await databaseCheck(database);
    if (reason === undefined) {
      if (retryMs > FIRST_RETRY_MS) logger.info('the database is reachable now');
      return;
    }
    if (signal.aborted) return;
    logger.warn({ reason, retryMs }, 'cannot reach the database, trying again; until then the service is not ready');
    await delay(retryMs, undefined, { signal }).catch(() => {});
  }
}

function reasonOf(error: unknown): string {
  // A refused connection to both addresses of a host is an AggregateError without a message of its own.
  if (error instanceof AggregateError) return error.errors.map((each) => reasonOf(each)).join('; ');
  return error instanceof Error ? error.message : String(error);
}

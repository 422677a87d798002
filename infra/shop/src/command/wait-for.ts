import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  readonly timeoutMs: number;
  readonly everyMs: number;
}

const PATIENCE: Patience = { timeoutMs: 120_000, everyMs: 1_000 };
const SAY_AGAIN_AFTER_MS = 10_000;

/**
 * Tries until it works and resolves with the result. Says once what it waits for and why, and again every ten seconds.
 * Rejects with the last reason after `timeoutMs` (two minutes unless told), and when it is stopped.
 */
export async function waitFor<T>(
  what: string,
  attempt: () => Promise<T>,
  say: (line: string) => void,
  stop: AbortSignal,
  { timeoutMs, everyMs }: Patience = PATIENCE,
): Promise<T> {
  let saidAt = Number.NEGATIVE_INFINITY;
  for (const end = Date.now() + timeoutMs; ; await sleep(everyMs, undefined, { signal: stop })) {
    stop.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      const reason = reasonOf(error);
      if (Date.now() > end) {
        throw new Error(`${what} does not answer for ${timeoutMs / 1000} s: ${reason}`, { cause: error });
      }
      if (Date.now() - saidAt >= SAY_AGAIN_AFTER_MS) {
        saidAt = Date.now();
        say(`waiting for ${what}: ${reason}`);
      }
    }
  }
}

/** Why, also where Node hides it: a refused connection to a name of several addresses has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (error instanceof Error) return error.message || ('code' in error ? String(error.code) : error.name);
  return String(error);
}

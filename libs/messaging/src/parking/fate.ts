import { PermanentFailure, TransientFailure, Unavailable } from '../handlers/failures.ts';
import { type RetryPolicy, retryDelayMs } from '../handlers/retry-policy.ts';

// Where one message finds nobody while others get through, it is tried again in this time.
const ALONE_DELAY_MS = 5000;

/** What becomes of a message whose try failed. */
export type Fate =
  | { readonly kind: 'dead-letter'; readonly attempts: number }
  | { readonly kind: 'park'; readonly attempts: number; readonly delayMs: number; readonly isHeld: boolean };

/**
 * Decides by the kind of the failure and the handler's policy; `before` are the tries that failed earlier. An outage counts as no
 * try, however often it is met.
 */
export function fateOf(error: unknown, before: number, policy: RetryPolicy, random: () => number = Math.random): Fate {
  if (error instanceof Unavailable) {
    return { kind: 'park', attempts: before, delayMs: ALONE_DELAY_MS * (0.5 + random() / 2), isHeld: false };
  }
  const attempts = before + 1;
  if (error instanceof PermanentFailure) return { kind: 'dead-letter', attempts };
  if (attempts >= policy.attempts) {
    return policy.then === 'skip'
      ? { kind: 'dead-letter', attempts }
      : { kind: 'park', attempts, delayMs: 0, isHeld: true };
  }
  const retryAfterMs = error instanceof TransientFailure ? error.retryAfterMs : undefined;
  return { kind: 'park', attempts, delayMs: retryAfterMs ?? retryDelayMs(policy, attempts, random), isHeld: false };
}

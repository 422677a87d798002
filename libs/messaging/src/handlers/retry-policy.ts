/** How a handler's messages are tried again after a failure that may pass. */
export interface RetryPolicy {
  /** Tries of one message, the first one counted. */
  readonly attempts: number;
  /** The second try comes within this time; the time doubles with each further one. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /**
   * After the last try: `skip` moves the message to the dead letters and lets its key flow again; `hold` keeps the message and
   * all behind it until a person decides.
   */
  readonly then: 'skip' | 'hold';
}

// Tries over half a minute on average: long enough for a lock, a restart or a replaced replica, short enough that a customer is
// not forgotten over it.
const DEFAULT_RETRY_POLICY: RetryPolicy = {
  attempts: 8,
  firstDelayMs: 250,
  maxDelayMs: 60_000,
  then: 'skip',
};

/** The policy of a handler that says only what is different. */
export function retryPolicy(different: Partial<RetryPolicy> = {}): RetryPolicy {
  return { ...DEFAULT_RETRY_POLICY, ...different };
}

/**
 * How long to wait after `attempts` tries: exponential with full jitter, so that messages which failed together are not tried again
 * together. `random` answers from 0 to below 1.
 */
export function retryDelayMs(
  { firstDelayMs, maxDelayMs }: RetryPolicy,
  attempts: number,
  random: () => number = Math.random,
): number {
  // Beyond 2^30 the ceiling is reached anyway, and numbers stay numbers.
  const ceiling = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(Math.max(attempts, 1) - 1, 30));
  return Math.round(ceiling * random());
}

/**
 * Trying again cannot help: the message is wrong, or the transition impossible. The message goes to the group's dead
 * letters at once, and its key flows on. `reason` is a short slug for people who count and filter.
 */
export class PermanentFailure extends Error {
  override readonly name = 'PermanentFailure';
  readonly reason: string;

  constructor(reason: string, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.reason = reason;
  }
}

/**
 * Trying again may help: the message is parked, with those of its key that come after it, and tried again as the handler's policy
 * says. Any error that is no other kind of failure counts as this one; throw it where the time of the next try is known.
 */
export class TransientFailure extends Error {
  override readonly name = 'TransientFailure';
  /** The next try comes after this, whatever the policy says. */
  readonly retryAfterMs: number | undefined;

  constructor(detail: string, options: ErrorOptions & { readonly retryAfterMs?: number } = {}) {
    super(detail, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * What the handler needs is away (provider, carrier, mail server), which says nothing about the message: it is tried again
 * for as long as the outage lasts, and no attempt is counted.
 */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

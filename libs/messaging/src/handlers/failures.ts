/**
 * Trying again cannot help: the message is wrong, or the transition impossible. The message goes to the group's dead
 * letters at once. `reason` is a short slug for people who count and filter.
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
 * What the handler needs is away (provider, carrier, mail server), which says nothing about the message: it is tried again
 * for as long as the outage lasts, and no attempt is counted.
 */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

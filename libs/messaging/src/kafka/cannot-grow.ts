export type CannotGrowReason =
  | 'unknown-topic'
  | 'not-more'
  | 'compacted'
  | 'leaderless'
  | 'no-reader'
  | 'busy'
  | 'not-held-back'
  | 'not-drained'
  | 'lease-lost'
  | 'interrupted'
  | 'not-added';

/** The topic is as it was, and is sent as before. The message says why and what to do. */
export class CannotGrow extends Error {
  override readonly name = 'CannotGrow';
  readonly reason: CannotGrowReason;

  constructor(reason: CannotGrowReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

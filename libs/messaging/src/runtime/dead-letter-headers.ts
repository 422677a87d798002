/** The headers that a dead letter has besides the original ones. */
export const deadLetterHeaders = {
  group: 'dlq-group',
  reason: 'dlq-reason',
  error: 'dlq-error',
  stack: 'dlq-stack',
  attempts: 'dlq-attempts',
  firstFailedAt: 'dlq-first-failed-at',
  /** The last time. */
  failedAt: 'dlq-failed-at',
  originTopic: 'dlq-origin-topic',
  originPartition: 'dlq-origin-partition',
  originOffset: 'dlq-origin-offset',
  /** How often people sent it back; missing when nobody did. */
  redrives: 'dlq-redrives',
  /** `<topic>/<partition>/<offset>` of the dead letter from which it was sent back. */
  redriveOf: 'dlq-redrive-of',
  /** Of the span in which it failed; missing when its trace is not recorded. */
  traceparent: 'dlq-traceparent',
} as const;

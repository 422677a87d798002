/**
 * CloudEvents 1.0 in the binary content mode of the Kafka protocol binding: context attributes travel as `ce_` headers,
 * the body is the record's value. Correlation, causation, the aggregate's version and the W3C trace context are ours.
 */
export const headerNames = {
  specVersion: 'ce_specversion',
  id: 'ce_id',
  type: 'ce_type',
  source: 'ce_source',
  time: 'ce_time',
  subject: 'ce_subject',
  contentType: 'content-type',
  correlationId: 'correlation-id',
  causationId: 'causation-id',
  aggregateVersion: 'aggregate-version',
  /** On a message that is said in earlier versions, too, which follow it under the same id: their numbers, such as `1`. */
  alsoSaidAs: 'also-said-as',
  traceparent: 'traceparent',
} as const;

/** `ce_source` of a service is `/millrace/<service>`. */
export const SOURCE_PREFIX = '/millrace/';

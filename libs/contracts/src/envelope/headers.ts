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
  traceparent: 'traceparent',
} as const;

/** `ce_source` of a service is `/millrace/<service>`. */
export const SOURCE_PREFIX = '/millrace/';

import { createHash } from 'node:crypto';
import { deadLetterTopic, headerNames } from '@millrace/contracts';
import type { HeaderValue, OutboxRecord } from '../outbox/outbox.ts';
import { PermanentFailure } from '../handlers/failures.ts';
import { traceparentOf } from '@millrace/observability';
import type { Span } from '@opentelemetry/api';
import type { Incoming } from './incoming.ts';

/** The headers that a dead letter has besides the original ones. */
export const deadLetterHeaders = {
  group: 'dlq-group',
  reason: 'dlq-reason',
  error: 'dlq-error',
  stack: 'dlq-stack',
  attempts: 'dlq-attempts',
  failedAt: 'dlq-failed-at',
  originTopic: 'dlq-origin-topic',
  originPartition: 'dlq-origin-partition',
  originOffset: 'dlq-origin-offset',
} as const;

// Enough to find the line; a header must not outgrow its message.
const MAX_ERROR_LENGTH = 1000;
const MAX_STACK_LENGTH = 4000;

/** Why a message could not be handled. */
export interface Failure {
  /** A short slug for people who count and filter. */
  readonly reason: string;
  readonly error: string;
  readonly stack?: string;
  readonly attempts: number;
}

/** The failure that an error of a handler means. */
export function failureOf(error: unknown, attempts: number): Failure {
  const reason = error instanceof PermanentFailure ? error.reason : 'handler-failed';
  if (!(error instanceof Error)) return { reason, error: String(error), attempts };
  const { name, message, stack } = error;
  return { reason, error: `${name}: ${message}`, attempts, ...(stack === undefined ? {} : { stack }) };
}

/**
 * The record for the group's dead-letter topic: the original bytes and headers, and why they ended there. Only the trace context
 * is that of the span in which it failed.
 */
export function deadLetterOf(
  { incoming, span }: { readonly incoming: Incoming; readonly span: Span | undefined },
  group: string,
  failure: Failure,
  now: Date,
): OutboxRecord {
  const isText = [incoming.key, incoming.value].every((bytes) => bytes === null || isPlainText(bytes));
  const encoding = isText ? 'utf8' : 'base64';
  const headers: Record<string, HeaderValue> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last !== undefined) headers[name] = headerValueOf(Buffer.from(last));
  }
  if (span !== undefined) headers[headerNames.traceparent] = traceparentOf(span.spanContext());
  Object.assign(headers, {
    [deadLetterHeaders.group]: group,
    [deadLetterHeaders.reason]: failure.reason,
    [deadLetterHeaders.error]: failure.error.slice(0, MAX_ERROR_LENGTH),
    [deadLetterHeaders.attempts]: String(failure.attempts),
    [deadLetterHeaders.failedAt]: now.toISOString(),
    [deadLetterHeaders.originTopic]: incoming.topic,
    [deadLetterHeaders.originPartition]: String(incoming.partition),
    [deadLetterHeaders.originOffset]: incoming.offset,
    ...(failure.stack === undefined ? {} : { [deadLetterHeaders.stack]: failure.stack.slice(0, MAX_STACK_LENGTH) }),
  });
  return {
    topic: deadLetterTopic(group).name,
    key: incoming.key?.toString(encoding) ?? null,
    value: incoming.value?.toString(encoding) ?? null,
    encoding,
    headers,
  };
}

/**
 * An id for a record that has none, so that it is dead-lettered once however often it is delivered: made from where it
 * stands, with the layout of a UUIDv8 (RFC 9562 §5.8) that begins with its time, so that the inbox forgets it in time.
 */
export function idOfPosition({ topic, partition, offset, timestampMs }: Incoming): string {
  const time = Math.max(0, timestampMs).toString(16).padStart(12, '0').slice(-12);
  const hash = createHash('sha256').update(`${topic}/${partition}/${offset}`).digest('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-8${hash.slice(0, 3)}-8${hash.slice(3, 6)}-${hash.slice(6, 18)}`;
}

function headerValueOf(bytes: Buffer): HeaderValue {
  return isPlainText(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') };
}

/** Whether the bytes are UTF-8 that PostgreSQL's text can hold. */
function isPlainText(bytes: Buffer): boolean {
  return !bytes.includes(0) && Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes);
}

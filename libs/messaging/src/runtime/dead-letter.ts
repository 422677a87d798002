import { createHash } from 'node:crypto';
import { deadLetterTopic } from '@millrace/contracts';
import { traceparentOf } from '@millrace/observability';
import type { Span } from '@opentelemetry/api';
import { PermanentFailure } from '../handlers/failures.ts';
import type { OutboxRecord } from '../outbox/outbox.ts';
import { isPlainText, storedHeaders } from '../outbox/stored-headers.ts';
import { deadLetterHeaders } from './dead-letter-headers.ts';
import type { Incoming } from './incoming.ts';

// Enough to find the line; a header must not outgrow its message.
const MAX_ERROR_LENGTH = 1000;
const MAX_STACK_LENGTH = 4000;

/** Why a message could not be handled. */
export interface Failure {
  /** A short slug for people who count and filter. */
  readonly reason: string;
  readonly error: string;
  readonly stack?: string;
}

/** How a message came to its dead letter. */
export interface Death {
  readonly failure: Failure;
  readonly attempts: number;
  readonly firstFailedAt: Date;
  readonly lastFailedAt: Date;
  readonly redrives?: number;
  readonly redriveOf?: string | undefined;
  /** In which it failed, where its trace is recorded. */
  readonly span?: Span | undefined;
}

/** What is kept of an error; bounded, because it is stored with each message that failed. */
export function failureOf(error: unknown): Failure {
  const reason = error instanceof PermanentFailure ? error.reason : 'handler-failed';
  if (!(error instanceof Error)) return { reason, error: String(error).slice(0, MAX_ERROR_LENGTH) };
  const { name, message, stack } = error;
  return {
    reason,
    error: printable(`${name}: ${message}`, MAX_ERROR_LENGTH),
    ...(stack === undefined ? {} : { stack: printable(stack, MAX_STACK_LENGTH) }),
  };
}

/** The record for the group's dead-letter topic: the original key, value and headers byte for byte, and why they ended there. */
export function deadLetterOf(incoming: Incoming, group: string, death: Death): OutboxRecord {
  const isText = [incoming.key, incoming.value].every((bytes) => bytes === null || isPlainText(bytes));
  const encoding = isText ? 'utf8' : 'base64';
  const { failure, span, redrives = 0, redriveOf } = death;
  return {
    topic: deadLetterTopic(group).name,
    key: incoming.key?.toString(encoding) ?? null,
    value: incoming.value?.toString(encoding) ?? null,
    encoding,
    headers: {
      ...storedHeaders(incoming.headers),
      [deadLetterHeaders.group]: group,
      [deadLetterHeaders.reason]: failure.reason,
      [deadLetterHeaders.error]: failure.error,
      [deadLetterHeaders.attempts]: String(death.attempts),
      [deadLetterHeaders.firstFailedAt]: death.firstFailedAt.toISOString(),
      [deadLetterHeaders.failedAt]: death.lastFailedAt.toISOString(),
      [deadLetterHeaders.originTopic]: incoming.topic,
      [deadLetterHeaders.originPartition]: String(incoming.partition),
      [deadLetterHeaders.originOffset]: incoming.offset,
      ...(failure.stack === undefined ? {} : { [deadLetterHeaders.stack]: failure.stack }),
      ...(redrives === 0 ? {} : { [deadLetterHeaders.redrives]: String(redrives) }),
      ...(redriveOf === undefined ? {} : { [deadLetterHeaders.redriveOf]: redriveOf }),
      ...(span === undefined ? {} : { [deadLetterHeaders.traceparent]: traceparentOf(span.spanContext()) }),
    },
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

/** PostgreSQL's text has no NUL, and an error may quote one. */
function printable(text: string, maxLength: number): string {
  return text.replaceAll('\0', '').slice(0, maxLength);
}

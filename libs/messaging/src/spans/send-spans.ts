import { headerNames } from '@millrace/contracts';
import { contextOf, isSampled, traceparentOf } from '@millrace/observability';
import { type Attributes, type Span, SpanKind } from '@opentelemetry/api';
import type { Written } from '../kafka/record-producer.ts';
import type { WireHeaders } from '../outbox/stored-headers.ts';
import { deadLetterHeaders } from '../runtime/dead-letter-headers.ts';
import { isUuid, orderIdOf } from './about-message.ts';
import { errorTypeOf, markFailed, tracer } from './tracer.ts';

const WIRE_TYPE = /^millrace\.\w+\.v\d+$/;

/** What a span tells of a row of the outbox. */
export interface SentRow {
  readonly seq: string;
  readonly topic: string;
  readonly key: string | null;
  readonly storedAt: Date;
}

/**
 * The `send` spans of one relay. A span starts when the row was stored and lasts until Kafka has acknowledged it, however many
 * tries that takes, so it shows how long the message waited and for whom. Rows whose trace is not recorded have none.
 */
export class SendSpans {
  readonly #clientId: string;
  /** Of the batch that is being sent. */
  #current = new Map<string, Span>();
  /** Of the batch before it: what Kafka did not take. */
  #unsent = new Map<string, Span>();

  constructor(clientId: string) {
    this.#clientId = clientId;
  }

  /**
   * The relay takes a row. The span names itself in the headers, so that whoever hears the message goes on from it; not in those of
   * a dead letter, which stay as they were received.
   */
  open(row: SentRow, headers: WireHeaders): void {
    const span = this.#unsent.get(row.seq) ?? startSendSpan(row, headers, this.#clientId);
    if (span === undefined) return;
    this.#unsent.delete(row.seq);
    this.#current.set(row.seq, span);
    if (!isDeadLetter(headers)) headers[headerNames.traceparent] = traceparentOf(span.spanContext());
  }

  /** Kafka answered: `written` tells of each row where it stands now; undefined when it is sent again. */
  answered(rows: readonly SentRow[], written: readonly (Written | undefined)[]): void {
    if (this.#current.size === 0 && this.#unsent.size === 0) return;
    rows.forEach(({ seq }, index) => {
      const span = this.#current.get(seq);
      const place = written[index];
      if (span === undefined) return;
      if (place === undefined) {
        span.addEvent('not acknowledged');
        return;
      }
      this.#current.delete(seq);
      span.setAttribute('messaging.destination.partition.id', String(place.partition));
      if (place.offset >= 0) span.setAttribute('messaging.kafka.offset', place.offset);
      span.end();
    });
    this.#rotate();
  }

  /** Kafka took none of it. */
  failed(error: unknown): void {
    for (const span of this.#current.values()) span.addEvent('not sent', { 'error.type': errorTypeOf(error) });
    this.#rotate();
  }

  /** Ends what is open: another relay, or the next process, sends these rows, in spans of their own. */
  close(): void {
    for (const span of [...this.#current.values(), ...this.#unsent.values()]) endUnsent(span);
    this.#current.clear();
    this.#unsent.clear();
  }

  #rotate(): void {
    for (const span of this.#unsent.values()) endUnsent(span);
    this.#unsent = this.#current;
    this.#current = new Map();
  }
}

function isDeadLetter(headers: WireHeaders): boolean {
  return deadLetterHeaders.group in headers;
}

function endUnsent(span: Span): void {
  markFailed(span, 'left-to-another-relay', undefined);
  span.end();
}

function startSendSpan(row: SentRow, headers: WireHeaders, clientId: string): Span | undefined {
  const failedIn = isDeadLetter(headers) ? headers[deadLetterHeaders.traceparent] : undefined;
  const stored = failedIn ?? headers[headerNames.traceparent];
  if (typeof stored !== 'string' || !isSampled(stored)) return undefined;
  const takenAt = new Date();
  // By the database's clock, where the row was read from there, and that may be ahead of ours.
  const storedAt = row.storedAt < takenAt ? row.storedAt : takenAt;
  const attributes: Attributes = {
    'messaging.system': 'kafka',
    'messaging.operation.type': 'send',
    'messaging.operation.name': 'send',
    'messaging.destination.name': row.topic,
    'messaging.client.id': clientId,
    'millrace.outbox.dwell_ms': takenAt.getTime() - storedAt.getTime(),
  };
  const orderId = orderIdOf(row.key);
  if (orderId !== undefined) attributes['messaging.message.conversation_id'] = orderId;
  const { [headerNames.id]: id, [headerNames.type]: type } = headers;
  // A dead letter keeps the headers of what it was, which need not be ours.
  if (typeof id === 'string' && isUuid(id)) attributes['messaging.message.id'] = id;
  if (typeof type === 'string' && WIRE_TYPE.test(type)) attributes['cloudevents.event_type'] = type;
  const span = tracer.startSpan(
    `send ${row.topic}`,
    { kind: SpanKind.PRODUCER, startTime: storedAt, attributes },
    contextOf(stored),
  );
  if (!span.isRecording()) return undefined;
  span.addEvent('taken by the relay', takenAt);
  return span;
}

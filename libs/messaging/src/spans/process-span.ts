import { type AnyMessage, type Decoded, headerNames, textOf } from '@millrace/contracts';
import { contextOf, isSampled, traceparentOf } from '@millrace/observability';
import { type Attributes, type Span, SpanKind } from '@opentelemetry/api';
import type { Incoming } from '../runtime/incoming.ts';
import { attributesOf } from './about-message.ts';
import { tracer } from './tracer.ts';

/** How the work on a record ended: as the metric `messaging_settled_total` counts it. */
export type Outcome = 'applied' | 'duplicate' | 'parked' | 'dead-lettered';

/**
 * The `process` span of one record: child of the span that sent it. It lasts from the first work on the record until that is
 * committed, with all calls, waits and tries in between. Nothing for a record whose trace is not recorded.
 */
export function startProcessSpan(
  { group, service }: { readonly group: string; readonly service: string },
  { incoming, decoded }: { readonly incoming: Incoming; readonly decoded: Decoded },
): Span | undefined {
  if (decoded.kind === 'not-heard') return undefined;
  const message = decoded.kind === 'message' ? decoded.message : undefined;
  const traceparent = message?.traceparent ?? textOf(incoming.headers[headerNames.traceparent]);
  if (!isSampled(traceparent)) return undefined;
  const attributes: Attributes = {
    'messaging.system': 'kafka',
    'messaging.operation.type': 'process',
    'messaging.operation.name': 'process',
    'messaging.destination.name': incoming.topic,
    'messaging.destination.partition.id': String(incoming.partition),
    'messaging.kafka.offset': Number(incoming.offset),
    'messaging.consumer.group.name': group,
    'messaging.client.id': service,
    ...(message === undefined ? {} : messageAttributes(message, textOf(incoming.headers[headerNames.type]))),
  };
  const span = tracer.startSpan(
    `process ${incoming.topic}`,
    { kind: SpanKind.CONSUMER, attributes },
    contextOf(traceparent),
  );
  // A service that records nothing hands on what it heard, so that the next one can.
  return span.isRecording() ? span : undefined;
}

/** Ends the span of a record that is settled. */
export function endProcessSpan(span: Span, outcome: Outcome): void {
  span.setAttribute('millrace.outcome', outcome);
  span.end();
}

/** The trace context for what a message leads to: that of its span, or the unrecorded context handed on. */
export function traceparentFor(span: Span | undefined, message: AnyMessage): string | undefined {
  return span === undefined ? message.traceparent : traceparentOf(span.spanContext());
}

function messageAttributes(message: AnyMessage, wireType: string | undefined): Attributes {
  return {
    ...attributesOf(message),
    ...(wireType === undefined ? {} : { 'cloudevents.event_type': wireType }),
  };
}

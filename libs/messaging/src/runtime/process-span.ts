import type { AnyMessage } from '@millrace/contracts';
import { contextOf, isSampled, traceparentOf } from '@millrace/observability';
import { type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Incoming } from './incoming.ts';

const tracer = trace.getTracer('@millrace/messaging');

/** The `process` span of one message: child of the span that created the message. Nothing for an unsampled message. */
export function startProcessSpan(group: string, message: AnyMessage, origin?: Incoming): Span | undefined {
  if (!isSampled(message.traceparent)) return undefined;
  return tracer.startSpan(
    `process ${message.type}`,
    {
      kind: SpanKind.CONSUMER,
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.type': 'process',
        'messaging.operation.name': 'process',
        'messaging.consumer.group.name': group,
        'messaging.message.id': message.id,
        ...(origin === undefined
          ? {}
          : {
              'messaging.destination.name': origin.topic,
              'messaging.destination.partition.id': String(origin.partition),
              'messaging.kafka.offset': Number(origin.offset),
            }),
      },
    },
    contextOf(message.traceparent),
  );
}

/** The trace context for what a message leads to: its process span, or the unsampled context handed on. */
export function traceparentFor(span: Span | undefined, message: AnyMessage): string | undefined {
  return span === undefined ? message.traceparent : traceparentOf(span.spanContext());
}

/** Ends the span as failed. */
export function failSpan(span: Span | undefined, error: unknown): void {
  if (error instanceof Error) span?.recordException(error);
  span?.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
}

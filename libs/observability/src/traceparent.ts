import {
  type Context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type SpanContext,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';

// Behind the version, the id of the trace and that of the span.
const FLAGS_AT = 53;

/** The W3C form of a span's identity, as stored in outbox rows and message headers. */
export function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** The active span as a traceparent; nothing when no span is active. */
export function currentTraceparent(): string | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  return span !== undefined && isSpanContextValid(span) ? traceparentOf(span) : undefined;
}

/** A context whose parent is the given remote span: the empty context when it is missing or malformed, never an error. */
export function contextOf(traceparent: string | undefined): Context {
  const parent = traceparent === undefined ? null : parseTraceParent(traceparent);
  return parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true });
}

/** The ids of a traceparent as log lines carry them; none when it is missing or malformed. */
export function traceIdsOf(traceparent: string | undefined): { readonly traceId?: string; readonly spanId?: string } {
  const parent = traceparent === undefined ? null : parseTraceParent(traceparent);
  return parent === null ? {} : { traceId: parent.traceId, spanId: parent.spanId };
}

/** Whether whoever wrote the traceparent records its trace. Cheap enough to ask for every message of a batch. */
export function isSampled(traceparent: string | undefined): boolean {
  // The flags first: they are where they are in every version, and most messages need no look at the rest.
  const flags = Number.parseInt(traceparent?.slice(FLAGS_AT, FLAGS_AT + 2) ?? '', 16);
  return (flags & TraceFlags.SAMPLED) !== 0 && parseTraceParent(traceparent ?? '') !== null;
}

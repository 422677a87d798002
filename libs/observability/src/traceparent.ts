import {
  type Context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type SpanContext,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';

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

/** Whether whoever wrote the traceparent records its trace. Cheap enough to ask for every message of a batch. */
export function isSampled(traceparent: string | undefined): boolean {
  const parent = traceparent === undefined ? null : parseTraceParent(traceparent);
  return parent !== null && (parent.traceFlags & TraceFlags.SAMPLED) !== 0;
}

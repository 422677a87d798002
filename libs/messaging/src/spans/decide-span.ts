import type { AnyMessage } from '@millrace/contracts';
import { contextOf, isSampled } from '@millrace/observability';
import { type Link, type Span, type SpanContext, SpanKind, trace } from '@opentelemetry/api';
import { attributesOf } from './about-message.ts';
import { startBatchSpan } from './batch-span.ts';
import { failSpan, tracer } from './tracer.ts';

/** The spans of local messages that are decided together, from the decision to the commit. */
export interface DecideSpans {
  of(message: AnyMessage): Span | undefined;
  /** One message could not be decided; the others go on. */
  fail(message: AnyMessage, error: unknown): void;
  /** Ends them: committed, or undone by this error. May be called twice. */
  end(error?: unknown): void;
}

const NONE: DecideSpans = { of: () => undefined, fail: () => {}, end: () => {} };

/**
 * A span `decide <type>` for each local message whose trace is recorded: in the trace that the message names, which a deadline or a
 * report took over from its order, and linked to the request that brought it, where that is another trace.
 */
export function startDecideSpans(messages: readonly AnyMessage[]): DecideSpans {
  if (!messages.some(({ traceparent }) => isSampled(traceparent))) return NONE;
  const request = trace.getActiveSpan();
  const spans = new Map<AnyMessage, Span>();
  for (const message of messages) {
    const span = startDecideSpan(message, request?.spanContext());
    if (span === undefined) continue;
    spans.set(message, span);
    const { traceId } = span.spanContext();
    if (request !== undefined && request.spanContext().traceId !== traceId) {
      request.addLink({ context: span.spanContext() });
    }
  }
  const batch = startBatchSpan(
    `settle ${messages[0]?.type}`,
    messages.map((message) => spans.get(message)),
  );
  return {
    of: (message) => spans.get(message),
    fail: (message, error) => failSpan(spans.get(message), error),
    end(error) {
      for (const span of [...spans.values(), ...(batch === undefined ? [] : [batch])]) {
        if (error !== undefined) failSpan(span, error);
        if (span.isRecording()) span.end();
      }
    },
  };
}

function startDecideSpan(message: AnyMessage, request: SpanContext | undefined): Span | undefined {
  if (!isSampled(message.traceparent)) return undefined;
  const parent = contextOf(message.traceparent);
  const links: Link[] =
    request !== undefined && request.traceId !== trace.getSpanContext(parent)?.traceId ? [{ context: request }] : [];
  const span = tracer.startSpan(
    `decide ${message.type}`,
    { kind: SpanKind.INTERNAL, links, attributes: attributesOf(message) },
    parent,
  );
  return span.isRecording() ? span : undefined;
}

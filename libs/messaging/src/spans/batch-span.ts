import { type Attributes, type Span, SpanKind } from '@opentelemetry/api';
import { tracer } from './tracer.ts';

// What a span holds at most by OpenTelemetry's defaults; those beyond it link to the batch all the same.
const MAX_LINKS = 128;

/**
 * The span of a transaction that serves several messages: the root of a trace of its own, because it belongs to no single one.
 * It is linked to the spans of the messages that are recorded, and they to it. Nothing for a single message, whose own span
 * says all, nor when none of them is recorded.
 */
export function startBatchSpan(
  name: string,
  spans: readonly (Span | undefined)[],
  attributes: Attributes = {},
): Span | undefined {
  if (spans.length < 2) return undefined;
  const members = spans.filter((span) => span !== undefined);
  if (members.length === 0) return undefined;
  const batch = tracer.startSpan(name, {
    root: true,
    kind: SpanKind.INTERNAL,
    links: members.slice(0, MAX_LINKS).map((span) => ({ context: span.spanContext() })),
    attributes: { 'messaging.batch.message_count': spans.length, ...attributes },
  });
  const link = { context: batch.spanContext() };
  for (const span of members) span.addLink(link);
  return batch;
}

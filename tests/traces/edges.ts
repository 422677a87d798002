import type { TraceSpan } from './span.ts';
import type { Story } from './stories.ts';

/**
 * A span as stories name it: service, name, and which message it is about, such as
 * `payment: process payment.commands.v1 AuthorizePayment`.
 */
export function labelOf({ service, name, attributes }: TraceSpan): string {
  const [, type] = /^millrace\.(\w+)\.v\d+$/.exec(String(attributes['cloudevents.event_type'])) ?? [];
  return `${service}: ${name}${type === undefined ? '' : ` ${type}`}`;
}

/** Which span is parent of which, as `parent → child`, each once however often it occurs. */
function edgesOf(spans: readonly TraceSpan[]): ReadonlySet<string> {
  const labels = new Map(spans.map((span) => [span.spanId, labelOf(span)]));
  return new Set(
    spans
      // What was delivered again is shown, and leads nowhere: it tells nothing about the order.
      .filter(({ attributes }) => attributes['millrace.outcome'] !== 'duplicate')
      .flatMap((span) => {
        const parent = span.parentId === undefined ? undefined : labels.get(span.parentId);
        return parent === undefined ? [] : [`${parent} → ${labelOf(span)}`];
      }),
  );
}

/**
 * What is wrong with the trace of an order, in sentences; nothing when it is one tree and has every edge of one of the stories
 * and no other. Tells about the story that comes closest.
 */
export function findingsOf(spans: readonly TraceSpan[], stories: readonly Story[]): readonly string[] {
  const perStory = stories.map((story) => [...treeFindings(spans), ...edgeFindings(edgesOf(spans), story)]);
  return perStory.toSorted((one, other) => one.length - other.length)[0] ?? ['there is no story to compare with'];
}

function treeFindings(spans: readonly TraceSpan[]): readonly string[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const roots = spans.filter(({ parentId }) => parentId === undefined);
  const orphans = spans.filter(({ parentId }) => parentId !== undefined && !ids.has(parentId));
  const traces = new Set(spans.map(({ traceId }) => traceId));
  return [
    ...(traces.size > 1 ? [`the spans are of ${traces.size} traces`] : []),
    ...(roots.length === 1 ? [] : [`there are ${roots.length} roots: ${roots.map(labelOf).join(', ')}`]),
    ...orphans.map((span) => `nobody knows the parent of "${labelOf(span)}"`),
  ];
}

function edgeFindings(edges: ReadonlySet<string>, { always, oneOf }: Story): readonly string[] {
  const due = new Set([...always, ...oneOf.flat()]);
  return [
    ...always.filter((edge) => !edges.has(edge)).map((edge) => `missing: ${edge}`),
    ...oneOf
      .filter((choice) => choice.filter((edge) => edges.has(edge)).length !== 1)
      .map((choice) => `exactly one was due of: ${choice.join(' | ')}`),
    ...[...edges].filter((edge) => !due.has(edge)).map((edge) => `unexpected: ${edge}`),
  ];
}

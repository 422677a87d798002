import type { Attributes, TraceSpan } from './span.ts';

interface Tag {
  readonly key: string;
  readonly type: string;
  readonly value: string | number | boolean;
}

interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references?: readonly { readonly refType: string; readonly traceID: string; readonly spanID: string }[];
  /** Microseconds since 1970. */
  readonly startTime: number;
  /** Microseconds. */
  readonly duration: number;
  readonly tags?: readonly Tag[];
  readonly logs?: readonly { readonly fields: readonly Tag[] }[];
  readonly processID: string;
}

interface JaegerTrace {
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string; readonly tags?: readonly Tag[] }>>;
}

/** What `GET /api/traces/<id>` of Jaeger's query service answers. */
export interface JaegerAnswer {
  readonly data: readonly JaegerTrace[] | null;
}

const KINDS = new Set(['internal', 'server', 'client', 'producer', 'consumer']);

/** The spans of a trace that Jaeger holds at present; none when it does not know the trace (yet). */
export async function readTrace(jaegerUrl: string, traceId: string): Promise<readonly TraceSpan[]> {
  const response = await fetch(`${jaegerUrl}/api/traces/${traceId}`, { signal: AbortSignal.timeout(10_000) });
  if (response.status === 404) return [];
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
  return spansOfJaeger((await response.json()) as JaegerAnswer);
}

export function spansOfJaeger({ data }: JaegerAnswer): readonly TraceSpan[] {
  return (data ?? []).flatMap(({ spans, processes }) =>
    spans.map((span): TraceSpan => {
      const { 'span.kind': kind, error, ...attributes } = attributesOf(span.tags);
      const process = processes[span.processID];
      const references = span.references ?? [];
      const parent = references.find(({ refType, traceID }) => refType === 'CHILD_OF' && traceID === span.traceID);
      return {
        traceId: span.traceID.padStart(32, '0'),
        spanId: span.spanID.padStart(16, '0'),
        ...(parent === undefined ? {} : { parentId: parent.spanID.padStart(16, '0') }),
        service: process?.serviceName ?? '',
        instance: String(attributesOf(process?.tags)['service.instance.id'] ?? ''),
        name: span.operationName,
        kind: KINDS.has(String(kind)) ? (kind as TraceSpan['kind']) : 'internal',
        startMs: span.startTime / 1000,
        endMs: (span.startTime + span.duration) / 1000,
        isError: error === true || error === 'true' || attributes['otel.status_code'] === 'ERROR',
        attributes,
        events: (span.logs ?? []).map(({ fields }) => {
          const { event, ...rest } = attributesOf(fields);
          return { name: String(event), attributes: rest };
        }),
        links: references
          .filter((reference) => reference !== parent)
          .map(({ traceID, spanID }) => ({ traceId: traceID.padStart(32, '0'), spanId: spanID.padStart(16, '0') })),
      };
    }),
  );
}

function attributesOf(tags: readonly Tag[] = []): Attributes {
  return Object.fromEntries(tags.map(({ key, type, value }) => [key, type === 'int64' ? Number(value) : value]));
}

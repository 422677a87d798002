import { randomUUID } from 'node:crypto';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { LinkedSampler } from './linked-sampler.ts';
import { OutageAwareExporter } from './outage-aware-exporter.ts';

export interface TracingOptions {
  readonly service: string;
  /** Base address of an OTLP/HTTP collector. Without one no span is sampled or exported; ids exist all the same. */
  readonly otlpEndpoint?: string | undefined;
  /** Share of the traces that start here and are recorded, 0 to 1. A trace that comes in keeps its sender's decision. */
  readonly sampleRatio: number;
  /** Hears once per outage that the collector takes no spans. */
  readonly warn?: ((message: string) => void) | undefined;
  /** Hears that the collector takes spans again. */
  readonly info?: ((message: string) => void) | undefined;
}

export interface Tracing {
  /** Sends what is buffered, for 3 s at most, and stops. Never rejects. */
  shutdown(): Promise<void>;
}

// At about 1 KiB a span this bounds what an absent collector costs to 8 MiB; the newest spans are dropped then.
const MAX_BUFFERED_SPANS = 8192;

// A collector that takes longer than this for one batch is as good as down. It leaves the exporter room for one retry.
const EXPORT_TIMEOUT_MS = 2_000;

// Longer than the exporter's own limit, or the next batch would be sent while one hangs, and each of them held in memory.
const GIVE_UP_EXPORT_AFTER_MS = EXPORT_TIMEOUT_MS + 500;

// Telemetry must not eat the time that a stopping process needs for its real work.
const SHUTDOWN_TIMEOUT_MS = 3_000;

/** Makes this process' spans, ids and context. Call it once, before anything that starts a span. */
export function startTracing({ service, otlpEndpoint, sampleRatio, warn, info }: TracingOptions): Tracing {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'service.instance.id': randomUUID() }),
    sampler:
      otlpEndpoint === undefined
        ? new AlwaysOffSampler()
        : new LinkedSampler(new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) })),
    spanProcessors: otlpEndpoint === undefined ? [] : [exportTo(otlpEndpoint, { warn, info })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return {
    shutdown: async () => {
      await withinTime(provider.shutdown());
      trace.disable();
      propagation.disable();
      context.disable();
    },
  };
}

function exportTo(otlpEndpoint: string, tell: Pick<TracingOptions, 'warn' | 'info'>): SpanProcessor {
  const url = `${otlpEndpoint.replace(/\/+$/, '')}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_TIMEOUT_MS });
  return new BatchSpanProcessor({
    exporter: new OutageAwareExporter(exporter, {
      onOutage: (reason) =>
        tell.warn?.(`The trace collector at ${url} takes no spans (${reason}); they are dropped until it does.`),
      onRecovery: () => tell.info?.(`The trace collector at ${url} takes spans again.`),
    }),
    maxQueueSize: MAX_BUFFERED_SPANS,
    maxExportBatchSize: 1024,
    scheduledDelayMillis: 1_000,
    exportTimeoutMillis: GIVE_UP_EXPORT_AFTER_MS,
  });
}

async function withinTime(flushed: Promise<void>): Promise<void> {
  const { promise: tooLate, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, SHUTDOWN_TIMEOUT_MS);
  // The exporter's wrapper has already told why spans could not be sent; there is nothing left to do about them.
  await Promise.race([flushed.catch(() => {}), tooLate]);
  clearTimeout(timer);
}

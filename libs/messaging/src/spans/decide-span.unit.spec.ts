import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { newId, type OrderId } from '@millrace/contracts';
import { context, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { type LocalMessage, localMessage } from '../handlers/local-message.ts';
import { startDecideSpans } from './decide-span.ts';

const ORDER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const NOW = new Date('2026-11-22T12:00:00Z');

const told = (traceparent: string): LocalMessage =>
  localMessage('CarrierReported', newId<OrderId>(), {}, { source: 'shipping', now: NOW, traceparent });

describe('the span of a decision about a local message', () => {
  const exporter = new InMemorySpanExporter();
  const finished = () => exporter.getFinishedSpans();
  const inRequest = (work: () => void): Span => {
    const request = trace.getTracer('test').startSpan('POST /webhooks/carrier');
    context.with(trace.setSpan(context.active(), request), work);
    request.end();
    return request;
  };

  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  });
  afterEach(() => exporter.reset());
  afterAll(() => {
    trace.disable();
    context.disable();
  });

  it('belongs to the trace of the order, and is linked with the request that brought the message', () => {
    const request = inRequest(() => startDecideSpans([told(ORDER)]).end());
    const decide = finished().find(({ name }) => name === 'decide CarrierReported');
    expect(decide?.spanContext().traceId).toBe(ORDER.split('-')[1]);
    expect(decide?.links.map((link) => link.context.spanId)).toEqual([request.spanContext().spanId]);
    const webhook = finished().find(({ name }) => name === 'POST /webhooks/carrier');
    expect(webhook?.links.map((link) => link.context.spanId)).toEqual([decide?.spanContext().spanId]);
  });

  it('needs no link to the request that began the trace', () => {
    inRequest(() => {
      const { traceId, spanId } = trace.getActiveSpan()?.spanContext() ?? { traceId: '', spanId: '' };
      startDecideSpans([told(`00-${traceId}-${spanId}-01`)]).end();
    });
    expect(finished().flatMap(({ links }) => links)).toEqual([]);
  });

  it('fails alone when its decision fails, and with all others when the transaction is undone', () => {
    const [one, other] = [told(ORDER), told(ORDER)];
    const spans = startDecideSpans([one, other]);
    spans.fail(one, new TypeError('out of the blue'));
    spans.end();
    spans.end(new Error('too late to matter'));
    const codes = finished().map(({ name, status }) => [name, status.code]);
    expect(codes).toEqual([
      ['decide CarrierReported', SpanStatusCode.ERROR],
      ['decide CarrierReported', SpanStatusCode.UNSET],
      ['settle CarrierReported', SpanStatusCode.UNSET],
    ]);
    startDecideSpans([one, other]).end(Object.assign(new Error('gone'), { code: '57P01' }));
    expect(
      finished()
        .slice(3)
        .map(({ attributes }) => attributes['error.type']),
    ).toEqual(['57P01', '57P01', '57P01']);
  });

  it('does not exist where no trace is recorded', () => {
    const message = told(ORDER.replace(/01$/, '00'));
    const spans = startDecideSpans([message, message]);
    expect(spans.of(message)).toBeUndefined();
    spans.end();
    expect(finished()).toEqual([]);
  });
});
